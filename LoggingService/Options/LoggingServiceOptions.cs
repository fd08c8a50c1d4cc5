using System.Text.RegularExpressions;
using static LoggingService.Options.SettingReader;

namespace LoggingService.Options;

/// <summary>The settings of section <c>LoggingService</c>.</summary>
internal sealed partial class LoggingServiceOptions
{
    private LoggingServiceOptions(IConfigurationSection section)
    {
        Homeserver = ReadHomeserver(section.GetSection(nameof(Homeserver)));
        Registration = ReadPath(section.GetSection(nameof(Registration)), "registration.yaml");
        Logs = ReadPath(section.GetSection(nameof(Logs)), "logs");
        RetainDays = ReadNumber(section.GetSection(nameof(RetainDays)), 1, 36_500, "the days to keep. Omit it to keep all");
        RoomsPerHour = ReadNumber(section.GetSection(nameof(RoomsPerHour)), 0, int.MaxValue, "the limit of rooms created per hour") ?? 60;
        Moderators = ReadModerators(section.GetSection(nameof(Moderators)));
        var maxBodyBytes = section.GetSection(nameof(MaxBodyBytes));
        MaxBodyBytes = ReadNumber(maxBodyBytes, 1 << 20, Array.MaxLength, "the limit of a transaction's bytes") ?? 134_217_728;
    }

    /// <summary>The keys of the section, each the name of a property.</summary>
    public static IReadOnlyList<string> Keys { get; } =
    [
        nameof(Homeserver), nameof(Registration), nameof(Logs), nameof(RetainDays),
        nameof(RoomsPerHour), nameof(Moderators), nameof(MaxBodyBytes),
    ];

    /// <summary>The base address of the homeserver's client API: absolute, http or https, with a final slash.</summary>
    public Uri Homeserver { get; }

    /// <summary>The address for messages, without the final slash.</summary>
    public string HomeserverText => Homeserver.ToString().TrimEnd('/');

    /// <summary>Absolute path.</summary>
    public string Registration { get; }

    /// <summary>Absolute path.</summary>
    public string Logs { get; }

    /// <summary>At least 1; <c>null</c> keeps all days.</summary>
    public int? RetainDays { get; }

    /// <summary>The limit of rooms created per hour; 0 creates none.</summary>
    public int RoomsPerHour { get; }

    /// <summary>User ids that get power level 50 in rooms that the service creates.</summary>
    public IReadOnlyList<string> Moderators { get; }

    /// <summary>The limit of one transaction's body, from 1 MiB to the longest array.</summary>
    public int MaxBodyBytes { get; }

    /// <exception cref="ConfigurationException">A value is invalid, or a key is unknown.</exception>
    public static LoggingServiceOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("LoggingService");
        RejectUnknownKeys(section, Keys);
        return new(section);
    }

    private static Uri ReadHomeserver(IConfigurationSection setting)
    {
        var text = ReadText(setting, "http://localhost:8008");
        if (!HttpUrl.TryParse(text.Trim(), out var url, out var error))
        {
            throw new ConfigurationException($"{setting.Path} {error}: use one such as http://localhost:8008".ReplaceLineEndings(" "));
        }

        return new Uri(url.AbsoluteUri.TrimEnd('/') + "/");
    }

    private static List<string> ReadModerators(IConfigurationSection setting)
    {
        RejectValue(setting, "a list: [\"@alice:example.org\"], or LoggingService__Moderators__0=@alice:example.org in the environment");
        var moderators = new List<string>();
        foreach (var child in setting.GetChildren())
        {
            RejectChildren(child, "a user id");
            if (child.Value is not { Length: <= 255 } userId || !UserId().IsMatch(userId))
            {
                throw Invalid(child, "a full user id, such as @alice:example.org");
            }

            moderators.Add(userId);
        }

        return moderators;
    }

    [GeneratedRegex(@"\A@[^:\s\p{C}]+:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex UserId();
}
