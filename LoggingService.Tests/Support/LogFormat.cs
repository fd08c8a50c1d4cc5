using System.Text.RegularExpressions;

namespace LoggingService.Tests.Support;

/// <summary>The regular expression of docs/log-format.md for programs that read the logs.</summary>
internal static partial class LogFormat
{
    /// <summary>Splits a line into <c>time</c>, <c>head</c> and <c>text</c>.</summary>
    public static Regex Line { get; } = new(ReadPattern());

    /// <summary>The service's own part of a line: without the time, and with quoted and sent text of users replaced.</summary>
    public static string WithoutUserText(string line)
    {
        var match = Line.Match($"2026-11-23 19:20:11 +00:00 {line}");
        Assert.True(match.Success, line);
        var head = match.Groups["head"].Value;
        var own = head == "***" ? $"*** {match.Groups["text"].Value}" : head;
        return Encoded().Replace(Quoted().Replace(own, "\"…\""), "…");
    }

    private static string ReadPattern()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "log-format.md"));
        return Block().Match(page).Groups[1].Value;
    }

    [GeneratedRegex("(?s)```regex\n(.*?)\n```")]
    private static partial Regex Block();

    [GeneratedRegex(@"""(?:\\.|[^""\\])*""")]
    private static partial Regex Quoted();

    // A token with a percent-encoded part.
    [GeneratedRegex(@"[^\s,<>]*%[^\s,<>]*")]
    private static partial Regex Encoded();
}
