using Microsoft.Extensions.Configuration.Json;

namespace LoggingService.Options;

/// <summary>Where settings come from; a later place wins: the program's file, the machine's file, environment, command line.</summary>
internal static class SettingsFiles
{
    private const string MachineFile = "/etc/logging-service/appsettings.json";

    // Tests name another file, so that those of the machine do not matter to them.
    private const string MachineFileKey = "hostBuilder:machineFile";

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
            AddMachineFile(builder.Configuration);
            return builder;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            var reasons = new[] { e.Message, e.GetBaseException().Message }.Distinct();
            throw new ConfigurationException($"Failed to read the settings: {string.Join(' ', reasons)}".ReplaceLineEndings(" "));
        }
    }

    private static void AddMachineFile(ConfigurationManager configuration)
    {
        var path = configuration[MachineFileKey] ?? MachineFile;
        if (!File.Exists(path))
        {
            return;
        }

        var source = new JsonConfigurationSource { Path = path };
        source.ResolveFileProvider();
        var programFiles = configuration.Sources.ToList().FindLastIndex(other => other is JsonConfigurationSource);
        configuration.Sources.Insert(programFiles + 1, source);
    }
}
