using System.CommandLine;
using Settings = LoggingService.Options.LoggingServiceOptions;

namespace LoggingService.Cli;

/// <summary>A setting with an option, such as <c>--logs FOLDER</c> for <c>LoggingService:Logs</c>.</summary>
internal sealed record SettingOption(string Name, string Key, string ValueName, string Description)
{
    private const string Section = "LoggingService:";

    public static IReadOnlyList<SettingOption> All { get; } =
    [
        new("--homeserver", Section + nameof(Settings.Homeserver), "URL",
            "URL of the homeserver's client API [default: http://localhost:8008]"),
        new("--registration", Section + nameof(Settings.Registration), "FILE",
            "Registration file, shared with the homeserver; created if missing [default: registration.yaml]"),
        new("--logs", Section + nameof(Settings.Logs), "FOLDER", "Folder of the logs [default: logs]"),
        new("--retain-days", Section + nameof(Settings.RetainDays), "DAYS", "Days to keep logs [default: all]"),
        new("--compress-after-days", Section + nameof(Settings.CompressAfterDays), "DAYS",
            "Days after which logs are compressed [default: never]"),
        new("--rooms-per-hour", Section + nameof(Settings.RoomsPerHour), "NUMBER", "Maximum of rooms created per hour [default: 60]"),
        new("--moderator", Section + nameof(Settings.Moderators), "USER",
            "User with power level 50 in new rooms; repeatable [default: none]"),
        new("--max-body-bytes", Section + nameof(Settings.MaxBodyBytes), "SIZE",
            "Maximum size of a transaction, such as 128MiB [default: 134217728]"),
        new("--max-bytes", Section + nameof(Settings.MaxBytes), "SIZE",
            "Maximum size of all logs, such as 20GiB; the oldest days are removed [default: all]"),
        new("--warn-free-bytes", Section + nameof(Settings.WarnFreeBytes), "SIZE",
            "Free space below which the service warns [default: 1073741824]"),
        new("--admin", Section + nameof(Settings.Admin), "URL",
            "Address of health checks and metrics, such as http://127.0.0.1:5001 [default: off]"),
        new("--pages", Section + nameof(Settings.Pages), "URL",
            "Address at which the logs of public rooms are shown as web pages, such as http://127.0.0.1:5002 [default: off]"),
        new("--no-log-prefix", Section + nameof(Settings.NoLogPrefix), "TEXT",
            "Messages that begin with it are not logged, such as !nolog [default: none]"),
        new("--notice", Section + nameof(Settings.Notice), "TEXT",
            "Notice in logged rooms that they are logged: on, off, or its text [default: on]"),
        new("--honour-room-retention", Section + nameof(Settings.HonourRoomRetention), "on|off",
            "Remove the days that a room's m.room.retention says [default: off]"),
        new("--retain-days-min", Section + nameof(Settings.RetainDaysMin), "DAYS",
            "Days to keep whatever a room's retention is [default: 30]"),
        new("--room-may-set", Section + nameof(Settings.RoomMaySet), "KEYS",
            "What rooms may decide about their log [default: notice,no_log_prefix]"),
        new("--join-logged-rooms", Section + nameof(Settings.JoinLoggedRooms), "on|off",
            "Whether the service's user joins public rooms that are logged [default: off]"),
        new("--redactions", Section + nameof(Settings.Redactions), "keep|erase",
            "Whether redacted events are erased from the logs, too [default: keep]"),
        new("--history-visibility", Section + nameof(Settings.HistoryVisibility), "VALUE",
            "Who may read the history of created rooms: shared, world_readable, invited or joined [default: shared]"),
        new("--urls", "urls", "URL", "Address to listen on [default: the registration's url]"),
    ];

    private bool IsList => Name == "--moderator";

    public static void AddAllTo(Command command) => AddTo(command, [.. All.Select(setting => setting.Name)]);

    /// <summary>For a command that needs only some; the others can be in files.</summary>
    public static void AddTo(Command command, params IReadOnlyList<string> names)
    {
        foreach (var setting in All.Where(setting => names.Contains(setting.Name)))
        {
            command.Add(setting.CreateOption());
        }
    }

    /// <summary>
    /// The values on the command line as settings such as <c>--LoggingService:Logs=/var/log/matrix</c>, each with the name of the option.
    /// </summary>
    public static IEnumerable<string> ReadAll(ParseResult parsed) => All.SelectMany(setting => setting.Read(parsed));

    private Option CreateOption()
    {
        Option option = IsList ? new Option<string[]>(Name) : new Option<string>(Name);
        option.HelpName = ValueName;
        option.Description = Description;
        return option;
    }

    private IEnumerable<string> Read(ParseResult parsed)
    {
        var values = parsed.GetResult(Name)?.Tokens.Select(token => token.Value) ?? [];
        return values.SelectMany((value, i) => WithName(IsList ? $"{Key}:{i}" : Key, value));

        IEnumerable<string> WithName(string key, string value) => [$"--{key}={value}", $"--{SettingsSources.OptionKey}{key}={Name}"];
    }
}
