using System.Text.RegularExpressions;

namespace LoggingService.Options;

/// <summary>
/// The settings of section <c>LoggingService</c>. Those of <see cref="ReloadedKeys"/> may change while the service runs: read them when
/// they are needed.
/// </summary>
internal sealed partial class LoggingServiceOptions
{
    private volatile Reloaded _reloaded;

    private LoggingServiceOptions(SettingReader settings)
    {
        Homeserver = ReadHomeserver(settings);
        Registration = settings.ReadPath(nameof(Registration), "registration.yaml");
        Logs = settings.ReadPath(nameof(Logs), "logs");
        _reloaded = new(
            settings.ReadNumber(nameof(RetainDays), 1, 36_500, "the days to keep. Omit it to keep all"),
            settings.ReadNumber(nameof(CompressAfterDays), 1, 36_500, "the days that are not compressed. Omit it to compress none"),
            settings.ReadNumber(nameof(RoomsPerHour), 0, int.MaxValue, "the limit of rooms created per hour") ?? 60,
            settings.ReadList(
                nameof(Moderators), userId => userId.Length <= 255 && UserId().IsMatch(userId),
                "a list: [\"@alice:example.org\"], or LoggingService__Moderators__0=@alice:example.org in the environment",
                "a full user id, such as @alice:example.org"),
            settings.ReadSize(nameof(MaxBytes), 1 << 20, 1L << 50, "the limit of all logs. Omit it to keep all"),
            settings.ReadSize(nameof(WarnFreeBytes), 0, 1L << 50, "the free space that is warned of") ?? 1 << 30,
            ReadPrefix(settings),
            ReadNotice(settings),
            settings.ReadChoice(nameof(HonourRoomRetention), "off", "on"),
            settings.ReadNumber(nameof(RetainDaysMin), 1, 36_500, "the days that are kept whatever a room's retention is") ?? 30,
            ReadRoomMaySet(settings),
            settings.ReadChoice(nameof(JoinLoggedRooms), "off", "on") == "on",
            settings.ReadChoice(nameof(Redactions), "keep", "erase"),
            settings.ReadChoice(nameof(HistoryVisibility), "shared", "world_readable", "invited", "joined"));
        MaxBodyBytes = (int)(settings.ReadSize(nameof(MaxBodyBytes), 1 << 20, 512 << 20, "the limit of a transaction") ?? 134_217_728);
        Admin = settings.ReadText(nameof(Admin), "off");
        Pages = settings.ReadText(nameof(Pages), "off");
    }

    /// <summary>The keys of the section, each the name of a property.</summary>
    public static IReadOnlyList<string> Keys { get; } =
    [
        nameof(Homeserver), nameof(Registration), nameof(Logs), nameof(RetainDays), nameof(CompressAfterDays),
        nameof(RoomsPerHour), nameof(Moderators), nameof(MaxBodyBytes), nameof(MaxBytes), nameof(WarnFreeBytes), nameof(Admin),
        nameof(Pages), nameof(NoLogPrefix), nameof(Notice), nameof(HonourRoomRetention), nameof(RetainDaysMin), nameof(RoomMaySet),
        nameof(JoinLoggedRooms), nameof(Redactions), nameof(HistoryVisibility),
    ];

    /// <summary>The keys of the settings that a reload changes.</summary>
    public static IReadOnlyList<string> ReloadedKeys { get; } =
    [
        nameof(RetainDays), nameof(CompressAfterDays), nameof(RoomsPerHour), nameof(Moderators), nameof(MaxBytes), nameof(WarnFreeBytes),
        nameof(NoLogPrefix), nameof(Notice), nameof(HonourRoomRetention), nameof(RetainDaysMin), nameof(RoomMaySet),
        nameof(JoinLoggedRooms), nameof(Redactions), nameof(HistoryVisibility),
    ];

    /// <summary>The keys of the state event <c>com.loggingservice.room</c>.</summary>
    private static IReadOnlyList<string> RoomSettings { get; } = ["notice", "no_log_prefix", "redactions", "paused"];

    /// <summary>The base address of the homeserver's client API: absolute, http or https, with a final slash.</summary>
    public Uri Homeserver { get; }

    /// <summary>The address for messages, without the final slash.</summary>
    public string HomeserverText => Homeserver.ToString().TrimEnd('/');

    /// <summary>Absolute path.</summary>
    public string Registration { get; }

    /// <summary>Absolute path.</summary>
    public string Logs { get; }

    /// <summary>At least 1; <c>null</c> keeps all days.</summary>
    public int? RetainDays => _reloaded.RetainDays;

    /// <summary>Days before the last ones are compressed: at least 1; <c>null</c> compresses none.</summary>
    public int? CompressAfterDays => _reloaded.CompressAfterDays;

    /// <summary>The limit of rooms created per hour; 0 creates none.</summary>
    public int RoomsPerHour => _reloaded.RoomsPerHour;

    /// <summary>User ids that get power level 50 in rooms that the service creates.</summary>
    public IReadOnlyList<string> Moderators => _reloaded.Moderators;

    /// <summary>The limit of one transaction's body, from 1 MiB to 512 MiB: as base64 in a quarantine line it must fit an array.</summary>
    public int MaxBodyBytes { get; }

    /// <summary>The limit of all days of all rooms: the oldest days are removed; <c>null</c> keeps all.</summary>
    public long? MaxBytes => _reloaded.MaxBytes;

    /// <summary>Less free space than this is a warning.</summary>
    public long WarnFreeBytes => _reloaded.WarnFreeBytes;

    /// <summary>Where the admin listener listens, or <c>off</c>.</summary>
    public string Admin { get; }

    /// <summary>Where a process that the service starts serves the logs as web pages, or <c>off</c>.</summary>
    public string Pages { get; }

    /// <summary>A message that begins with it is not logged; empty if there is none.</summary>
    public string NoLogPrefix => _reloaded.NoLogPrefix;

    /// <summary>What rooms are told about being logged: <c>on</c> for the default text, <c>off</c>, or a text.</summary>
    public string Notice => _reloaded.Notice;

    /// <summary>Whether the retention that rooms set is applied to their logs: <c>on</c> or <c>off</c>.</summary>
    public string HonourRoomRetention => _reloaded.HonourRoomRetention;

    /// <summary>The days that are kept at least, whatever a room's retention is; fewer if <see cref="RetainDays"/> is.</summary>
    public int RetainDaysMin => _reloaded.RetainDaysMin;

    /// <summary>What rooms may decide about their log: <see cref="RoomSettings"/> with commas between them, or <c>none</c>.</summary>
    public string RoomMaySet => _reloaded.RoomMaySet;

    /// <summary>Whether the service's user joins public rooms that are logged.</summary>
    public bool JoinLoggedRooms => _reloaded.JoinLoggedRooms;

    /// <summary>What becomes of logged events that are redacted: <c>keep</c>, or <c>erase</c>.</summary>
    public string Redactions => _reloaded.Redactions;

    /// <summary>The <c>history_visibility</c> of rooms that the service creates. (Client-Server API, "Room History Visibility".)</summary>
    public string HistoryVisibility => _reloaded.HistoryVisibility;

    /// <exception cref="ConfigurationException">A value is invalid, or a key is unknown.</exception>
    public static LoggingServiceOptions Read(IConfigurationRoot configuration)
    {
        var settings = new SettingReader(configuration, "LoggingService");
        settings.RejectUnknownKeys(Keys);
        return new(settings);
    }

    /// <summary>Takes over the settings of <see cref="ReloadedKeys"/>, all at once.</summary>
    public void Reload(LoggingServiceOptions read) => _reloaded = read._reloaded;

    private static Uri ReadHomeserver(SettingReader settings)
    {
        var text = settings.ReadText(nameof(Homeserver), "http://localhost:8008");
        return HttpUrl.TryParse(text.Trim(), out var url, out var error)
            ? new Uri(url.AbsoluteUri.TrimEnd('/') + "/")
            : throw settings.Error(nameof(Homeserver), $"{error}: use one such as http://localhost:8008");
    }

    private static string ReadPrefix(SettingReader settings)
    {
        var prefix = settings.ReadText(nameof(NoLogPrefix), "");
        return prefix.Length <= 100 && !prefix.Any(char.IsControl) && prefix.Trim() == prefix
            ? prefix
            : throw settings.Error(nameof(NoLogPrefix), "must have at most 100 characters, no white space at its ends, and no line break");
    }

    private static string ReadRoomMaySet(SettingReader settings)
    {
        var keys = settings.ReadText(nameof(RoomMaySet), "notice,no_log_prefix").Split(',', StringSplitOptions.TrimEntries);
        return keys is ["none"] || keys.All(RoomSettings.Contains)
            ? string.Join(',', keys)
            : throw settings.Error(nameof(RoomMaySet), $"must be none, or some of {string.Join(',', RoomSettings)}");
    }

    private static string ReadNotice(SettingReader settings)
    {
        var text = settings.ReadText(nameof(Notice), "on").Trim();
        return text.ToLowerInvariant() is "on" or "off" ? text.ToLowerInvariant()
            : text.Length <= 1000 ? text
            : throw settings.Error(nameof(Notice), "is longer than 1000 characters");
    }

    [GeneratedRegex(@"\A@[^:\s\p{C}]+:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex UserId();

    private sealed record Reloaded(
        int? RetainDays, int? CompressAfterDays, int RoomsPerHour, IReadOnlyList<string> Moderators, long? MaxBytes, long WarnFreeBytes,
        string NoLogPrefix, string Notice, string HonourRoomRetention, int RetainDaysMin, string RoomMaySet,
        bool JoinLoggedRooms, string Redactions, string HistoryVisibility);
}
