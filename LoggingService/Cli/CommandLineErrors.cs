using System.CommandLine;
using System.CommandLine.Parsing;

namespace LoggingService.Cli;

/// <summary>What is said to who typed something that the command line doesn't have.</summary>
internal static class CommandLineErrors
{
    /// <summary>One line: what isn't understood, the right word if one is near, and where all of them are.</summary>
    public static string Explain(ParseResult typed)
    {
        ArgumentNullException.ThrowIfNull(typed);
        if (typed.UnmatchedTokens is not [var word, ..])
        {
            return $"{Explain(typed.Errors[0])} For all switches: --help";
        }

        var name = word.Split('=')[0].ReplaceLineEndings(" ");
        var command = typed.CommandResult.Command;
        var nearest = command.Options.Where(option => !option.Hidden).Select(option => option.Name).Concat(command.Subcommands.Select(sub => sub.Name))
            .Select(known => (known, steps: Steps(Letters(name), Letters(known))))
            .Where(near => near.steps <= 1 + (Letters(near.known).Length / 4)).OrderBy(near => near.steps).FirstOrDefault().known;
        return $"{(command is RootCommand ? $"There is no {name}" : $"{command.Name} has no {name}")}.{(nearest is null ? "" : $" Did you mean {nearest}?")} For all switches: --help";
    }

    private static string Explain(ParseError error) => error switch
    {
        { SymbolResult: OptionResult { Tokens.Count: 0 } option } => $"{option.Option.Name} needs a value.",
        { SymbolResult: ArgumentResult { Tokens.Count: 0, Parent: CommandResult command } argument } => $"{command.Command.Name} needs a {argument.Argument.Name}.",
        _ => $"{error.Message.TrimEnd('.').ReplaceLineEndings(" ")}.",
    };

    private static string Letters(string word) => word.TrimStart('-').ToUpperInvariant();

    /// <summary>How many letters must be put in, taken out or changed to make one word the other (Levenshtein's distance).</summary>
    private static int Steps(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
