using System.Text.RegularExpressions;

namespace LoggingService.Tests.Support;

/// <summary>The regular expression of docs/log-format.md, which readers of logs use.</summary>
internal static partial class LogFormat
{
    /// <summary>Takes a line apart into <c>time</c>, <c>head</c> and <c>text</c>.</summary>
    public static Regex Line { get; } = new(Block().Match(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "log-format.md"))).Groups[1].Value);

    /// <summary>What the service says in a line, without its time: the words of people replaced, those after a head and those between quotes.</summary>
    public static string WithoutUserText(string line)
    {
        var match = Line.Match($"2026-11-23 19:20:11 +00:00 {line}");
        Assert.True(match.Success, line);
        var (head, text) = (match.Groups["head"].Value, match.Groups["text"].Value);
        return Encoded().Replace(Quoted().Replace(head == "***" ? $"*** {text}" : head, "\"…\""), "…");
    }

    [GeneratedRegex("(?s)```regex\n(.*?)\n```")]
    private static partial Regex Block();

    [GeneratedRegex(@"""(?:\\.|[^""\\])*""")]
    private static partial Regex Quoted();

    // A word in which something was percent-encoded.
    [GeneratedRegex(@"[^\s,<>]*%[^\s,<>]*")]
    private static partial Regex Encoded();
}
