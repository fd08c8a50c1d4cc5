using Microsoft.Extensions.Configuration.Json;

namespace LoggingService.Options;

/// <summary>The sources of settings; a later one wins: the program's file, the machine's file, environment, command line.</summary>
internal static class SettingsSources
{
    // Tests set another file, and the demo none: they must not depend on the machine's.
    public const string MachineFileKey = "hostBuilder:machineFile";

    private const string MachineFile = "/etc/logging-service/appsettings.json";

    /// <exception cref="ConfigurationException">A file can't be read, or is not JSON.</exception>
    public static WebApplicationBuilder CreateBuilder(string[] settings)
    {
        try
        {
            // Settings are read once: watching for changes would watch all folders next to the files, also those of the logs.
            var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
            {
                Args = [.. settings, "--hostBuilder:reloadConfigOnChange=false"],
                ContentRootPath = AppContext.BaseDirectory,
            });
            var machineFile = new JsonConfigurationSource { Path = builder.Configuration[MachineFileKey] ?? MachineFile, Optional = true };
            machineFile.ResolveFileProvider();
            var sources = builder.Configuration.Sources;
            sources.Insert(sources.ToList().FindLastIndex(source => source is JsonConfigurationSource) + 1, machineFile);
            return builder;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            var reasons = new[] { e.Message, e.GetBaseException().Message }.Distinct();
            throw new ConfigurationException($"Failed to read the settings: {string.Join(' ', reasons)}".ReplaceLineEndings(" "));
        }
    }
}
