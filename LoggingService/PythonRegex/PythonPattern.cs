using System.Text.RegularExpressions;

namespace LoggingService.PythonRegex;

/// <summary>
/// A regular expression of a registration, which is Python's
/// (<see href="https://docs.python.org/3/library/re.html"/>) because it is Synapse that applies it, with the meaning
/// that it has there.
/// </summary>
internal sealed class PythonPattern
{
    // Identifiers have 255 bytes at most: only a pattern that backtracks without end takes as long, on a busy machine too.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    // Who sends such a text can send many: while they are decided, nothing else would be done.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly string _python;
    private readonly Regex _backtracking;
    private readonly Lazy<Regex> _regex;
    private long _pausedUntil;

    private PythonPattern(string python, string translated)
    {
        _python = python;

        // Not compiled: that costs more time than all matching ever will, and the time counts against the first match.
        _backtracking = new(translated, RegexOptions.CultureInvariant, Limit);

        // Made when it is first needed: it takes ten times as long, and the service starts without it.
        _regex = new(() => NonBacktracking(translated) ?? _backtracking);
    }

    /// <summary>Reads a pattern as <c>re.compile</c> does.</summary>
    /// <param name="python">The pattern, as it stands in the registration.</param>
    /// <exception cref="FormatException">
    /// It cannot be used. The message is one line: "Synapse will refuse it: …" in Python's own words, or
    /// "can't be given the same meaning here: …", and the position in the pattern, in characters from 0.
    /// </exception>
    public static PythonPattern Translate(string python)
    {
        // `match` looks at the start only, where .NET would search.
        var translated = $@"\A(?:{PythonSyntax.Translate(python)})";
        try
        {
            return new(python, translated);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"can't be given the same meaning here: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>
    /// <c>re.compile(p).match(text) is not None</c>: from the start of the text, not necessarily to its end, and with
    /// regard to case. An unpaired surrogate, which no identifier can hold, matches nothing.
    /// </summary>
    /// <param name="text">A user id, alias or room id.</param>
    /// <exception cref="TimeoutException">
    /// It was not decided within a second, of which only patterns with look-around, references, conditions or atomic groups
    /// are capable, and texts that end with a line break; or such a text came within the last ten seconds. It is no answer: taken
    /// for a "no" it would leave out what should be logged.
    /// </exception>
    public bool IsMatch(string text)
    {
        if (Environment.TickCount64 < Interlocked.Read(ref _pausedUntil))
        {
            throw new TimeoutException($"The regex {_python} took too long on another text a moment ago: it isn't tried now.");
        }

        try
        {
            // With 256 kinds of characters or more, to which \w alone comes, .NET 10's other one overlooks a line break that ends the text.
            return (text.EndsWith('\n') ? _backtracking : _regex.Value).IsMatch(text);
        }
        catch (Exception e) when (e is RegexMatchTimeoutException or IndexOutOfRangeException)
        {
            Interlocked.Exchange(ref _pausedUntil, Environment.TickCount64 + (long)Pause.TotalMilliseconds);
            throw new TimeoutException(
                $"The regex {_python} takes too long on a text of {text.Length} characters: it can't be decided.", e);
        }
    }

    /// <summary>The pattern, as it stands in the registration.</summary>
    public override string ToString() => _python;

    private static Regex? NonBacktracking(string translated)
    {
        try
        {
            return new(translated, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, Limit);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }
}
