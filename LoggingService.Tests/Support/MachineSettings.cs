using System.Runtime.CompilerServices;

namespace LoggingService.Tests.Support;

/// <summary>
/// The settings in <c>/etc/logging-service</c> of the machine that runs the tests: no service reads them, unless a test names
/// another file.
/// </summary>
internal static class MachineSettings
{
    /// <summary>The environment variable that names the file.</summary>
    public const string Variable = "hostBuilder__machineFile";

    // Services in processes of their own inherit it.
    [ModuleInitializer]
    internal static void Ignore() => Environment.SetEnvironmentVariable(Variable, "/nonexistent");
}
