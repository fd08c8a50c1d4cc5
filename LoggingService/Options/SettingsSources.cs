using Microsoft.Extensions.Configuration.Json;

namespace LoggingService.Options;

/// <summary>The sources of settings; a later one wins: the program's file, the machine's file, environment, command line.</summary>
internal static class SettingsSources
{
    // Tests set another file, and the demo none: they must not depend on the machine's.
    public const string MachineFileKey = "hostBuilder:machineFile";

    /// <summary>Followed by the path of a setting: the option that set it, such as <c>--logs</c>.</summary>
    public const string OptionKey = "hostBuilder:option:";

    private const string MachineFile = "/etc/logging-service/appsettings.json";

    // "$schema" is for editors.
    private static readonly string[] TopLevelKeys =
        ["Logging", "ServiceLog", "LoggingService", "Pages", "Kestrel", "urls", "AllowedHosts", "Serilog", "$schema"];

    private static readonly Dictionary<string, IReadOnlyList<string>> KeysBySection = new(StringComparer.OrdinalIgnoreCase)
    {
        ["LoggingService"] = LoggingServiceOptions.Keys,
        ["ServiceLog"] = ServiceLogOptions.Keys,
        ["Pages"] = PagesOptions.Keys,
    };

    /// <summary>The names of all sections, and of settings without one.</summary>
    public static IEnumerable<string> Sections => TopLevelKeys.SkipLast(1);

    /// <exception cref="ConfigurationException">
    /// A file can't be read, or is not JSON, or the name of a setting is misspelled, which would be ignored.
    /// </exception>
    public static WebApplicationBuilder CreateBuilder(string[] settings)
    {
        var builder = ReadSources(settings);
        foreach (var file in ((IConfigurationRoot)builder.Configuration).Providers.OfType<JsonConfigurationProvider>())
        {
            RejectUnknownSections(file);
        }

        EnvironmentSettings.RejectMisspelled(KeysBySection);
        return builder;
    }

    /// <summary>The absolute path of a file.</summary>
    public static string PathOf(JsonConfigurationProvider file) =>
        file.Source.FileProvider?.GetFileInfo(file.Source.Path ?? "").PhysicalPath ?? file.Source.Path ?? "";

    private static WebApplicationBuilder ReadSources(string[] settings)
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
            throw new ConfigurationException($"Failed to read the settings: {string.Join(' ', reasons)}");
        }
    }

    private static void RejectUnknownSections(JsonConfigurationProvider file)
    {
        foreach (var key in file.GetChildKeys([], null).Distinct().Except(TopLevelKeys, StringComparer.OrdinalIgnoreCase))
        {
            var (section, _) = KeysBySection.FirstOrDefault(section => section.Value.Contains(key, StringComparer.OrdinalIgnoreCase));
            var (misspelledIn, keys) = KeysBySection.FirstOrDefault(section => NearestName.Find(key, section.Value) is not null);
            var advice = (section, NearestName.Find(key, TopLevelKeys), misspelledIn) switch
            {
                ({ } right, _, _) => $"is outside its section: put it into {right}",
                (_, { } nearest, _) => $"is not a setting. Did you mean {nearest}?",
                (_, _, { } right) => $"is not a setting. Did you mean {NearestName.Find(key, keys!)} in the section {right}?",
                _ => $"is not a setting. The sections are {string.Join(", ", TopLevelKeys[..^2])}",
            };
            throw new ConfigurationException($"{PathOf(file)}: {key} {advice}");
        }
    }
}
