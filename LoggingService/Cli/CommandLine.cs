using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using LoggingService.Demo;
using LoggingService.Http;
using LoggingService.Options;

namespace LoggingService.Cli;

/// <summary>What can be typed after the program's name. Without a command, the service runs.</summary>
internal static partial class CommandLine
{
    private const string Examples =
        """
        Examples:
          LoggingService                                 runs beside a Synapse on this machine
          LoggingService --homeserver https://matrix.example.org --logs /var/log/matrix
          LoggingService --retain-days 90 --moderator @alice:example.org
          LoggingService demo                            shows it without a homeserver

        Settings can also stand in appsettings.json or in the environment. Settings of the service's own log have no
        switch, but a key (--Logging:LogLevel:Default Debug): see docs/settings.md.
        """;

    /// <summary>Does what was typed.</summary>
    /// <param name="args">The words after the program's name.</param>
    /// <param name="build">Builds the service from settings, each like <c>--LoggingService:Logs=/var/log/matrix</c>; true for one that serves, false for one that only checks.</param>
    /// <returns>The exit code: 0, or 1 where a check found trouble.</returns>
    /// <exception cref="ConfigurationException">Something that was typed isn't understood, or can't be used.</exception>
    public static async Task<int> RunAsync(string[] args, Func<string[], bool, WebApplication> build)
    {
        var (byKey, others) = TakeSettingsByKey(args);
        string[] Settings(ParseResult typed) => [.. byKey, .. SettingOption.All.SelectMany(setting => setting.Read(typed))];

        var root = new RootCommand("Keeps the log of a Matrix community's rooms: an application service beside a homeserver.");
        Add(root, SettingOption.All);
        root.SetAction((typed, _) => ServeAsync(build(Settings(typed), true)));

        var check = new Command("check", "Asks once whether the homeserver and the running service know each other. Exits with 0 if all is well, else with 1.");
        Add(check, SettingOption.All);
        check.SetAction((typed, cancellation) => CheckCommand.RunAsync(build(Settings(typed), false), cancellation));
        root.Add(check);

        var demo = new Command("demo", "Shows the service without a homeserver: plays a recorded evening, or lets you type.");
        var logs = new Option<string>("--logs") { HelpName = "FOLDER", Description = "Where the logs go", DefaultValueFactory = _ => "demo-logs" };
        var fast = new Option<bool>("--fast") { Description = "Plays it at once" };
        var chat = new Option<bool>("--chat") { Description = $"You join {DemoChat.Alias} and what you type is logged, instead" };
        demo.Add(logs);
        demo.Add(fast);
        demo.Add(chat);
        demo.SetAction((typed, _) => DemoCommand.RunAsync(settings => build([.. byKey, .. settings], true), Path.GetFullPath(typed.GetValue(logs)!), typed.GetValue(fast), typed.GetValue(chat)));
        root.Add(demo);

        var render = new Command("render", "Writes the text of records (.jsonl) to standard output: of records from elsewhere, or again after an improvement.");
        var records = new Argument<string[]>("FILE") { Description = "Records in their order; - for standard input", Arity = ArgumentArity.OneOrMore };
        render.Add(records);
        render.SetAction(typed => RenderCommand.Run(typed.GetValue(records)!));
        root.Add(render);

        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);

        // A user id begins with @, too: that is no file of more switches.
        var typed = root.Parse(others, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (typed.Errors.Count > 0 && typed.Action != help.Action)
        {
            throw new ConfigurationException(CommandLineErrors.Explain(typed));
        }

        if (typed.CommandResult.Parent is CommandResult before && before.Children.OfType<OptionResult>().FirstOrDefault(option => !option.Implicit) is { } misplaced)
        {
            throw new ConfigurationException($"Write {misplaced.Option.Name} after {typed.CommandResult.Command.Name}, if it has such a switch. For all switches: {typed.CommandResult.Command.Name} --help");
        }

        // The host listens for SIGTERM and Ctrl-C itself, and exceptions are Program's.
        return await typed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static void Add(Command command, IEnumerable<SettingOption> settings)
    {
        foreach (var setting in settings)
        {
            command.Add(setting.ToOption());
        }
    }

    private static async Task<int> ServeAsync(WebApplication service)
    {
        await using (service)
        {
            await ServerStartup.StartAsync(service);
            await service.WaitForShutdownAsync();
            return 0;
        }
    }

    /// <summary>Settings by their keys, <c>--Logging:LogLevel:Default Debug</c>, aren't switches. Serilog's are ignored with a warning.</summary>
    private static (List<string> ByKey, List<string> Others) TakeSettingsByKey(string[] args)
    {
        var (byKey, others) = (new List<string>(), new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            if (!SettingByKey().IsMatch(args[i]))
            {
                if (args[i].StartsWith("--", StringComparison.Ordinal) && args[i].EndsWith('='))
                {
                    // The parser would take the next word.
                    throw new ConfigurationException($"{args[i]} needs a value.");
                }

                others.Add(args[i]);
            }
            else if (args[i].Contains('='))
            {
                byKey.Add(args[i]);
            }
            else
            {
                byKey.Add(i + 1 < args.Length ? $"{args[i]}={args[++i]}" : throw new ConfigurationException($"{args[i]} needs a value."));
            }
        }

        return (byKey, others);
    }

    [GeneratedRegex("^--(LoggingService|Logging|ServiceLog|Serilog)(:|=|$)", RegexOptions.IgnoreCase)]
    private static partial Regex SettingByKey();

    private sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var result = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is RootCommand)
            {
                parseResult.InvocationConfiguration.Output.WriteLine(Examples);
            }

            return result;
        }
    }
}
