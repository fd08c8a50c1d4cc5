using System.CommandLine;
using System.CommandLine.Help;
using System.Text.RegularExpressions;
using LoggingService.Demo;
using LoggingService.Http;

namespace LoggingService.Cli;

/// <summary>The program's command line. Without a command, the service runs.</summary>
internal static partial class CommandLine
{
    private const string Examples =
        """
        Examples:
          LoggingService                                 run next to a Synapse on this machine
          LoggingService --homeserver https://matrix.example.org --logs /var/lib/logging-service/logs
          LoggingService --retain-days 90 --moderator @alice:example.org
          LoggingService demo                            try it without a homeserver

        Settings can also be in appsettings.json or in the environment. Those of the service's own log have only
        keys (--Logging:LogLevel:Default Debug): see docs/settings.md.
        """;

    /// <summary>
    /// Runs the command in <paramref name="args"/> and returns the exit code. <paramref name="build"/> gets settings such as
    /// <c>--LoggingService:Logs=/var/log/matrix</c>, and <c>true</c> for a service that will listen.
    /// </summary>
    /// <exception cref="FatalException">The arguments, or a setting, are invalid, or the service cannot start.</exception>
    public static async Task<int> RunAsync(string[] args, Func<string[], bool, WebApplication> build)
    {
        CheckWorkingFolder();
        var (byKey, others) = TakeSettingsByKey(args);
        var root = new RootCommand("Logs the rooms of a Matrix community: an application service that runs next to a homeserver.");
        SettingOption.AddAllTo(root);
        root.SetAction(async (parsed, cancellation) =>
        {
            await using var service = Build(parsed, serves: true);
            await WebServer.StartAsync(service, service.Services.GetRequiredService<SettingsReload>().Run);
            await service.WaitForShutdownAsync(cancellation);
        });
        root.Add(BackfillCommand.Create(ReadOptions, parsed => Build(parsed, serves: false)));
        root.Add(CheckCommand.Create(parsed => Build(parsed, serves: false)));
        root.Add(CreateRegistrationCommand.Create(ReadOptions));
        root.Add(DemoCommand.Create(settings => build([.. byKey, .. settings], true)));
        root.Add(EraseCommand.Create(ReadOptions));
        root.Add(ExportCommand.Create(ReadOptions));
        root.Add(HideCommand.Create(ReadOptions));
        root.Add(IndexCommand.Create(ReadOptions));
        root.Add(PagesCommand.Create((parsed, settings) =>
            SettingsSources.CreateBuilder([.. byKey, .. SettingOption.ReadAll(parsed), .. settings])));
        root.Add(RenderCommand.Create());
        root.Add(RoomsCommand.Create(ReadOptions));
        root.Add(RotateTokensCommand.Create(ReadOptions));
        root.Add(StatusCommand.Create(ReadOptions));
        root.Add(VerifyCommand.Create(ReadOptions));

        // User ids begin with @, which the parser would take for a response file.
        var parsed = root.Parse(others, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is not HelpAction && CommandLineErrors.Describe(parsed) is { } error)
        {
            throw new ConfigurationException(error);
        }

        // The host handles SIGTERM and Ctrl-C, and Program.cs exceptions.
        var exitCode = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        if (parsed.Action is HelpAction && parsed.CommandResult.Command == root)
        {
            Console.WriteLine(Examples);
        }

        return exitCode;

        WebApplication Build(ParseResult parsed, bool serves) => build([.. byKey, .. SettingOption.ReadAll(parsed)], serves);

        LoggingServiceOptions ReadOptions(ParseResult parsed) =>
            LoggingServiceOptions.Read(SettingsSources.CreateBuilder([.. byKey, .. SettingOption.ReadAll(parsed)]).Configuration);
    }

    // Relative paths, and the runtime, need it.
    private static void CheckWorkingFolder()
    {
        try
        {
            _ = Environment.CurrentDirectory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FatalException("The current folder does not exist any more. Change to one that does.");
        }
    }

    /// <summary>Separates settings by key, <c>--Logging:LogLevel:Default Debug</c>, which the parser doesn't know.</summary>
    private static (List<string> ByKey, List<string> Others) TakeSettingsByKey(string[] args)
    {
        var byKey = new List<string>();
        var others = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            var arg = args[i];
            var isByKey = SettingByKey().IsMatch(arg);
            if (isByKey && !arg.Contains('='))
            {
                i++;
                arg = i < args.Length ? $"{arg}={args[i]}" : throw new ConfigurationException($"{arg} needs a value");
            }
            else if (!isByKey && arg.StartsWith("--", StringComparison.Ordinal) && arg.EndsWith('='))
            {
                // The parser would take the next argument as the value.
                throw new ConfigurationException($"{arg} needs a value");
            }

            (isByKey ? byKey : others).Add(arg);
        }

        return (byKey, others);
    }

    // The last three are the host's own, which WebApplicationFactory passes. --pages is an option.
    [GeneratedRegex(
        "^--(Pages:|(LoggingService|Logging|ServiceLog|Serilog|environment|contentRoot|applicationName)(:|=|$))", RegexOptions.IgnoreCase)]
    private static partial Regex SettingByKey();
}
