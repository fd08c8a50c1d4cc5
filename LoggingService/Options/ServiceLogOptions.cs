using static LoggingService.Options.SettingReader;

namespace LoggingService.Options;

/// <summary>The settings of section <c>ServiceLog</c>. The levels are in the framework's section, <c>Logging:LogLevel</c>.</summary>
internal sealed class ServiceLogOptions
{
    private ServiceLogOptions(IConfigurationSection section)
    {
        var file = section.GetSection("File");
        File = file.Exists() ? ReadPath(file, "the console only") : null;
        IsJson = ReadChoice(section.GetSection("Format"), "text", "json") == "json";
        RoomActivity = ReadChoice(section.GetSection("RoomActivity"), "auto", "on", "off") switch
        {
            "on" => true,
            "off" => false,
            _ => null,
        };
    }

    /// <summary>Absolute path of a file for the log, one per day with its date in the name; <c>null</c> for the console only.</summary>
    public string? File { get; }

    /// <summary>Compact JSON, on the console and in the file.</summary>
    public bool IsJson { get; }

    /// <summary>Whether the lines of the rooms are shown; <c>null</c>: on a terminal only.</summary>
    public bool? RoomActivity { get; }

    /// <exception cref="ConfigurationException">A value or a level is invalid, or a key is unknown.</exception>
    public static ServiceLogOptions Read(IConfiguration configuration)
    {
        RejectUnknownLevels(configuration.GetSection("Logging"));
        var section = configuration.GetSection("ServiceLog");
        RejectUnknownKeys(section, ["File", "Format", "RoomActivity"]);
        return new(section);
    }

    // The framework's own error does not name the key, and it accepts any number as a level.
    private static void RejectUnknownLevels(IConfigurationSection logging)
    {
        // Logging:LogLevel, and Logging:Serilog:LogLevel, which is the provider's.
        var sections = logging.GetChildren().Select(provider => provider.GetSection("LogLevel")).Prepend(logging.GetSection("LogLevel"));
        var names = Enum.GetNames<LogLevel>();
        foreach (var levels in sections)
        {
            RejectValue(levels, "a section such as {\"Default\": \"Warning\"}");
            foreach (var level in levels.GetChildren().Where(level => !names.Contains(level.Value, StringComparer.OrdinalIgnoreCase)))
            {
                RejectValue(level, $"one of {string.Join(", ", names)}");
            }
        }
    }
}
