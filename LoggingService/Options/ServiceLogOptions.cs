namespace LoggingService.Options;

/// <summary>The settings of section <c>ServiceLog</c>. The levels are in the framework's section, <c>Logging:LogLevel</c>.</summary>
internal sealed class ServiceLogOptions
{
    private ServiceLogOptions(IConfigurationRoot configuration)
    {
        var settings = new SettingReader(configuration, "ServiceLog");
        settings.RejectUnknownKeys(Keys);
        File = configuration.GetSection("ServiceLog:File").Exists() ? settings.ReadPath(nameof(File), "the console only") : null;
        FileName = settings.NameOf("ServiceLog:File");
        IsJson = settings.ReadChoice("Format", "text", "json") == "json";
        RoomActivity = settings.ReadChoice(nameof(RoomActivity), "auto", "on", "off") switch
        {
            "on" => true,
            "off" => false,
            _ => null,
        };
    }

    /// <summary>The keys of the section.</summary>
    public static IReadOnlyList<string> Keys { get; } = [nameof(File), "Format", nameof(RoomActivity)];

    /// <summary>Absolute path of a file for the log, one per day with its date in the name; <c>null</c> for the console only.</summary>
    public string? File { get; }

    /// <summary>The name of the setting <see cref="File"/> where it was given.</summary>
    public string FileName { get; }

    /// <summary>Compact JSON, on the console and in the file.</summary>
    public bool IsJson { get; }

    /// <summary>Whether the lines of the rooms are shown; <c>null</c>: on a terminal only.</summary>
    public bool? RoomActivity { get; }

    /// <exception cref="ConfigurationException">A value or a level is invalid, or a key is unknown.</exception>
    public static ServiceLogOptions Read(IConfigurationRoot configuration)
    {
        RejectUnknownLevels(configuration);
        return new(configuration);
    }

    // The framework's own error does not name the key, and it accepts any number as a level.
    private static void RejectUnknownLevels(IConfigurationRoot configuration)
    {
        var settings = new SettingReader(configuration, "Logging");
        var providers = configuration.GetSection("Logging").GetChildren().ToList();
        if (providers.Find(child => !IsLogLevel(child) && NearestName.Find(child.Key, ["LogLevel"]) is not null) is { } misspelled)
        {
            throw settings.Error(misspelled.Key, "is not a setting. Did you mean LogLevel?");
        }

        // Logging:LogLevel, and Logging:Serilog:LogLevel, which is the provider's.
        var sections = providers.Select(provider => provider.GetSection("LogLevel")).Prepend(configuration.GetSection("Logging:LogLevel"));
        var names = Enum.GetNames<LogLevel>();
        foreach (var levels in sections)
        {
            settings.RejectValue(levels, "a section such as {\"Default\": \"Warning\"}");
            foreach (var level in levels.GetChildren().Where(level => !names.Contains(level.Value, StringComparer.OrdinalIgnoreCase)))
            {
                settings.RejectValue(level, $"one of {string.Join(", ", names)}");
            }
        }

        static bool IsLogLevel(IConfigurationSection child) => child.Key.Equals("LogLevel", StringComparison.OrdinalIgnoreCase);
    }
}
