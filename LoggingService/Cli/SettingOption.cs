using System.CommandLine;
using LoggingService.Options;

namespace LoggingService.Cli;

/// <summary>A setting that has a switch of its own, like <c>--logs FOLDER</c> for <c>LoggingService:Logs</c>.</summary>
/// <param name="Name">The switch, with its dashes.</param>
/// <param name="Key">The key that it sets.</param>
/// <param name="Value">The word that stands for its value in the help.</param>
/// <param name="Description">What it says in the help.</param>
internal sealed record SettingOption(string Name, string Key, string Value, string Description)
{
    private const string Section = "LoggingService:";

    /// <summary>All of them; those of the hosting, which a program's tests use, aren't in the help.</summary>
    public static IReadOnlyList<SettingOption> All { get; } =
    [
        new("--homeserver", Section + nameof(LoggingServiceOptions.Homeserver), "URL", "Where the homeserver's client API is [default: http://localhost:8008]"),
        new("--registration", Section + nameof(LoggingServiceOptions.Registration), "FILE", "What the homeserver has a copy of; the service makes it when it is missing [default: registration.yaml]"),
        new("--logs", Section + nameof(LoggingServiceOptions.Logs), "FOLDER", "Where the logs go [default: logs]"),
        new("--retain-days", Section + nameof(LoggingServiceOptions.RetainDays), "DAYS", "How many days of logs are kept [default: all]"),
        new("--rooms-per-hour", Section + nameof(LoggingServiceOptions.RoomsPerHour), "NUMBER", "How many rooms are made within an hour at most [default: 60]"),
        new("--moderator", Section + nameof(LoggingServiceOptions.Moderators), "USER", "Who gets power level 50 in rooms that are made; one for each switch [default: nobody]"),
        new("--max-body-bytes", Section + nameof(LoggingServiceOptions.MaxBodyBytes), "BYTES", "How large a transaction may be [default: 134217728]"),
        new("--urls", "urls", "URL", "Where to listen [default: where the registration's url says]"),
        new("--environment", HostDefaults.EnvironmentKey, "", ""),
        new("--contentRoot", HostDefaults.ContentRootKey, "", ""),
        new("--applicationName", HostDefaults.ApplicationKey, "", ""),
    ];

    private bool IsList => Name == "--moderator";

    /// <summary>The switch as an option of a command.</summary>
    public Option ToOption()
    {
        Option option = IsList ? new Option<string[]>(Name) : new Option<string>(Name);
        (option.HelpName, option.Description, option.Hidden) = (Value, Description, Value.Length == 0);
        return option;
    }

    /// <summary>What was typed for it, as settings like <c>--LoggingService:Logs=/var/log/matrix</c>.</summary>
    public IEnumerable<string> Read(ParseResult typed)
    {
        ArgumentNullException.ThrowIfNull(typed);
        return from value in typed.GetResult(Name)?.Tokens.Select((token, i) => (token.Value, i)) ?? []
               select $"--{Key}{(IsList ? $":{value.i}" : "")}={value.Value}";
    }
}
