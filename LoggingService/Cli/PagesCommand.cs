using System.CommandLine;
using LoggingService.Http;
using LoggingService.Pages;

namespace LoggingService.Cli;

/// <summary>The command <c>pages</c>: serves the logs of rooms whose history is public as web pages.</summary>
internal static class PagesCommand
{
    private const string Section = "Pages:";

    private static readonly (string Name, string Key, string Value, bool IsList, string Description)[] Settings =
    [
        ("--urls", nameof(PagesOptions.Urls), "URL", false, "Address to listen on [default: http://localhost:5002]"),
        ("--path-prefix", nameof(PagesOptions.PathPrefix), "PATH", false, "What all paths begin with, such as /logs [default: /]"),
        ("--contact", nameof(PagesOptions.Contact), "ADDRESS", false,
            "Where readers report what should not be shown: a mailbox or a page [default: none]"),
        ("--proxy", nameof(PagesOptions.Proxies), "IP", true, "Proxy whose forwarded headers count; repeatable [default: 127.0.0.1]"),
        ("--robots-allowed", nameof(PagesOptions.RobotsAllowed), "ROOM", true,
            "Room that search engines may index; repeatable [default: none]"),
    ];

    /// <param name="createBuilder">Reads the settings, and those of this command.</param>
    public static Command Create(Func<ParseResult, IEnumerable<string>, WebApplicationBuilder> createBuilder)
    {
        var command = new Command("pages", "Serves the logs of rooms whose history is public as web pages.");
        foreach (var (name, _, value, isList, description) in Settings)
        {
            Option option = isList ? new Option<string[]>(name) : new Option<string>(name);
            option.HelpName = value;
            option.Description = description;
            command.Add(option);
        }

        // For the service, which starts the pages as a child: they end with it, also if it is killed.
        var withParent = new Option<bool>(PagesProcess.WithParentOption) { Hidden = true };
        command.Add(withParent);
        SettingOption.AddTo(command, "--logs");
        command.SetAction(async (parsed, cancellation) =>
        {
            var builder = createBuilder(parsed, ReadAll(parsed));
            var root = LogDirectoryPath.Of(LoggingServiceOptions.Read(builder.Configuration));
            await using var app = PagesHost.Build(builder, PagesOptions.Read(builder.Configuration), root);
            await WebServer.StartAsync(app);
            PagesHost.LogListening(app);
            if (parsed.GetValue(withParent))
            {
                PagesProcess.StopWithParent(app.Lifetime);
            }

            await app.WaitForShutdownAsync(cancellation);
        });
        return command;
    }

    /// <summary>The values on the command line as settings, each with the name of the option.</summary>
    private static IEnumerable<string> ReadAll(ParseResult parsed)
    {
        foreach (var (name, key, _, isList, _) in Settings)
        {
            var values = parsed.GetResult(name)?.Tokens.Select(token => token.Value) ?? [];
            foreach (var (i, value) in values.Index())
            {
                var path = Section + (isList ? $"{key}:{i}" : key);
                yield return $"--{path}={value}";
                yield return $"--{SettingsSources.OptionKey}{path}={name}";
            }
        }
    }
}
