using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace LoggingService.Cli;

internal static class CommandLineErrors
{
    /// <summary>Describes the first error in one line, with the nearest known name; <c>null</c> if the command line is valid.</summary>
    public static string? Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var help = $"For all options: {(command is RootCommand ? "" : $"{command.Name} ")}--help";
        if (parsed.Errors.Count > 0)
        {
            var error = Suggest(command, parsed.UnmatchedTokens) ?? parsed.Errors[0].Message;
            return $"{error.ReplaceLineEndings(" ").TrimEnd('.')}. {help}";
        }

        // The parser accepts the service's options in front of a command, where no action would read them.
        var parent = parsed.CommandResult.Parent as CommandResult;
        var misplaced = parent?.Children.OfType<OptionResult>().FirstOrDefault(option => !option.Implicit)?.Option;
        return misplaced is null ? null : $"'{misplaced.Name}' must follow '{command.Name}', if that has such an option. {help}";
    }

    // Only the first token is parsed again: the value after a misspelled option would get suggestions of its own.
    private static string? Suggest(Command command, IReadOnlyList<string> unmatched)
    {
        var name = unmatched.FirstOrDefault("").Split('=')[0].ReplaceLineEndings(" ");
        var parsed = command.Parse([name], new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (name.Length == 0 || parsed.Action is not ParseErrorAction action)
        {
            return null;
        }

        using var output = new StringWriter();
        action.ShowHelp = false;
        parsed.Invoke(new InvocationConfiguration { Output = output, Error = TextWriter.Null });
        var suggestion = output.ToString().Trim();
        return suggestion.Length == 0 ? null : suggestion;
    }
}
