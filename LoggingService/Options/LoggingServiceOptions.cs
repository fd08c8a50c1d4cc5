using System.Globalization;
using System.Text.RegularExpressions;
using LoggingService.Homeserver;

namespace LoggingService.Options;

/// <summary>The settings: section <c>LoggingService</c> of appsettings.json, of the environment and of the command line.</summary>
internal sealed partial class LoggingServiceOptions
{
    private const string SectionName = "LoggingService";

    /// <summary>The keys of the section, each the name of a property.</summary>
    public static IReadOnlyList<string> Keys { get; } =
        [nameof(Homeserver), nameof(Registration), nameof(Logs), nameof(RetainDays), nameof(RoomsPerHour), nameof(Moderators), nameof(MaxBodyBytes)];

    private LoggingServiceOptions(IConfigurationSection section)
    {
        Homeserver = ReadHomeserver(section.GetSection(nameof(Homeserver)));
        Registration = ReadPath(section.GetSection(nameof(Registration)), "registration.yaml");
        Logs = ReadPath(section.GetSection(nameof(Logs)), "logs");
        RetainDays = ReadNumber(section.GetSection(nameof(RetainDays)), 1, 36_500, "the days whose logs are kept; leave it out to keep them for ever") is { } days ? (int)days : null;
        RoomsPerHour = (int)(ReadNumber(section.GetSection(nameof(RoomsPerHour)), 0, int.MaxValue, "how many rooms may be made in an hour") ?? 60);
        Moderators = ReadModerators(section.GetSection(nameof(Moderators)));
        MaxBodyBytes = ReadNumber(section.GetSection(nameof(MaxBodyBytes)), 1 << 20, Array.MaxLength, "how many bytes a transaction may have") ?? 134_217_728;
    }

    /// <summary>The base address of the homeserver's client-server API: absolute, http or https, ending in a slash so that relative addresses go under its path. Default: <c>http://localhost:8008/</c>.</summary>
    public Uri Homeserver { get; }

    /// <summary><see cref="HomeserverClient"/> as people write it: without a slash at its end.</summary>
    public string HomeserverText => Homeserver.ToString().TrimEnd('/');

    /// <summary>The absolute path of the registration file. Default: <c>registration.yaml</c> where the service was called.</summary>
    public string Registration { get; }

    /// <summary>The absolute path of the folder of the logs. Default: <c>logs</c> where the service was called.</summary>
    public string Logs { get; }

    /// <summary>How many days of logs are kept, at least 1; <c>null</c>, the default, for all.</summary>
    public int? RetainDays { get; }

    /// <summary>How many rooms may be made in an hour because somebody asked for their alias. Default: 60. 0 for none.</summary>
    public int RoomsPerHour { get; }

    /// <summary>The user ids that get power level 50 in rooms that the service makes. Default: none.</summary>
    public IReadOnlyList<string> Moderators { get; }

    /// <summary>How many bytes the body of one transaction may have, from 1 MiB to what an array holds. Default: 128 MiB.</summary>
    public long MaxBodyBytes { get; }

    /// <summary>Reads and checks the settings. Relative paths are the current directory's.</summary>
    /// <param name="configuration">Everything that is configured; the section <c>LoggingService</c> of it is read.</param>
    /// <exception cref="ConfigurationException">A value can't be used, or a key is unknown: one line that names the key.</exception>
    public static LoggingServiceOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(SectionName);
        if (!string.IsNullOrEmpty(section.Value))
        {
            throw Mistake(section, "which is no section: its keys are", string.Join(", ", Keys));
        }

        foreach (var child in section.GetChildren())
        {
            if (!Keys.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw new ConfigurationException($"{child.Path} is no setting. The settings are {string.Join(", ", Keys)}".ReplaceLineEndings(" "));
            }
        }

        return new(section);
    }

    private static Uri ReadHomeserver(IConfigurationSection setting)
    {
        var text = ReadText(setting, "http://localhost:8008");
        if (!HttpUrl.TryParse(text.Trim(), out var url, out var error))
        {
            throw new ConfigurationException($"{setting.Path} {error}: use one such as http://localhost:8008".ReplaceLineEndings(" "));
        }

        return url.AbsolutePath.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/");
    }

    private static string ReadPath(IConfigurationSection setting, string @default)
    {
        var text = ReadText(setting, @default);
        return text.Contains('\0') ? throw new ConfigurationException($"{setting.Path} contains a NUL character: take it out") : Path.GetFullPath(text);
    }

    private static long? ReadNumber(IConfigurationSection setting, long least, long most, string what)
    {
        RefuseChildren(setting, "a number");
        if (string.IsNullOrEmpty(setting.Value))
        {
            return null;
        }

        if (!long.TryParse(setting.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number))
        {
            throw Mistake(setting, "and must be a whole number:", what);
        }

        return number >= least && number <= most ? number
            : throw Mistake(setting, $"and must be from {least} to {most}: it is", what);
    }

    private static List<string> ReadModerators(IConfigurationSection setting)
    {
        if (!string.IsNullOrEmpty(setting.Value))
        {
            throw Mistake(setting, "which is no list: write", "[\"@alice:example.org\"], in the environment LoggingService__Moderators__0=@alice:example.org");
        }

        var moderators = new List<string>();
        foreach (var child in setting.GetChildren())
        {
            RefuseChildren(child, "a user id");
            if (!UserId().IsMatch(child.Value ?? "") || child.Value!.Length > 255)
            {
                throw Mistake(child, "which is no user id: write it in full, like", "@alice:example.org");
            }

            moderators.Add(child.Value);
        }

        return moderators;
    }

    private static string ReadText(IConfigurationSection setting, string @default)
    {
        RefuseChildren(setting, "a text");
        return setting.Value switch
        {
            null => @default,
            _ when string.IsNullOrWhiteSpace(setting.Value) => throw Mistake(setting, "which says nothing: leave it out for", @default),
            var text => text,
        };
    }

    private static void RefuseChildren(IConfigurationSection setting, string expected)
    {
        if (setting.GetChildren().Any())
        {
            throw new ConfigurationException($"{setting.Path} is a list or a section, and must be {expected}".ReplaceLineEndings(" "));
        }
    }

    private static ConfigurationException Mistake(IConfigurationSection setting, string what, string remedy) =>
        new($"{setting.Path} is \"{setting.Value}\", {what} {remedy}".ReplaceLineEndings(" "));

    [GeneratedRegex(@"\A@[^:\s\p{C}]+:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex UserId();
}
