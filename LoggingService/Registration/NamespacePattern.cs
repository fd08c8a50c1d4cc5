using System.Text.RegularExpressions;

namespace LoggingService.Registration;

/// <summary>
/// A regular expression of a registration. The homeserver decides with Python's <c>re.match</c> which rooms it pushes and
/// which aliases it asks for; the service checks again with .NET's engine. NamespacePatternTests lists where the two differ.
/// </summary>
internal sealed partial class NamespacePattern
{
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(1);

    // A sender of one text that times out can send many; matching them all would starve everything else.
    private static readonly TimeSpan Cooldown = TimeSpan.FromSeconds(10);

    private readonly string _python;
    private readonly Lazy<Regex> _regex;
    private long _cooldownEnd;

    /// <exception cref="RegexParseException">.NET can't parse the pattern.</exception>
    public NamespacePattern(string python)
    {
        _python = python;
        var translated = Translate(python);

        // Parsed alone first: "a)|(b" must not be completed by the parentheses that follow.
        _ = new Regex(translated, RegexOptions.CultureInvariant);

        // Python's match is anchored at the start only.
        var anchored = $@"\A(?:{translated})";
        var backtracking = new Regex(anchored, RegexOptions.CultureInvariant, MatchTimeout);
        _regex = new Lazy<Regex>(() => NonBacktracking(anchored) ?? backtracking);
    }

    /// <summary>The text before <c>.*</c> or <c>.+</c>; <c>null</c> for a pattern of another form.</summary>
    public string? LiteralPrefix => TextAndRest().Match(_python) is { Success: true } match
        ? EscapedPunctuation().Replace(match.Groups["text"].Value, "$1")
        : null;

    /// <summary>Whether the pattern matches at the start of a user id, alias or room id.</summary>
    /// <exception cref="TimeoutException">
    /// Undecided: it took over 1 s (possible only with lookarounds, backreferences, conditions and atomic groups), or another
    /// text did within the last 10 s.
    /// </exception>
    public bool IsMatch(string text)
    {
        if (Environment.TickCount64 < Interlocked.Read(ref _cooldownEnd))
        {
            throw new TimeoutException($"Regex {_python} is suspended after a timeout");
        }

        try
        {
            return _regex.Value.IsMatch(text);
        }
        catch (Exception e) when (e is RegexMatchTimeoutException or IndexOutOfRangeException or OverflowException)
        {
            // The backtracking interpreter may also run out of its arrays before the timeout.
            Interlocked.Exchange(ref _cooldownEnd, Environment.TickCount64 + (long)Cooldown.TotalMilliseconds);
            throw new TimeoutException($"Regex {_python} timed out on a text of {text.Length} characters", e);
        }
    }

    /// <returns>The regular expression as in the registration.</returns>
    public override string ToString() => _python;

    private static Regex? NonBacktracking(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, MatchTimeout);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    // Sets and escapes are whole tokens, so that nothing within them is rewritten.
    private static string Translate(string python) => Token().Replace(python, token => token.Value switch
    {
        "(?P<" => "(?<",
        "{," => "{0,",
        ['(', ..] => $@"\k<{token.Groups["name"].Value}>",
        @"\Z" => @"\z",
        ['[', .. var members] => "[" + SetToken().Replace(members, member => member.Value == "[" ? @"\[" : Escape(member.Value)),
        var escape => Escape(escape),
    });

    // Python ignores a backslash before _ and before letters outside ASCII; .NET refuses it.
    private static string Escape(string escape) => escape[1] == '_' || !char.IsAscii(escape[1]) ? escape[1..] : escape;

    [GeneratedRegex(@"\\.|\[\^?\]?(?:\\.|[^\]\\])*|\{,(?=\d*\})|\(\?P<|\(\?P=(?<name>\w+)\)", RegexOptions.Singleline)]
    private static partial Regex Token();

    [GeneratedRegex(@"\\.|\[", RegexOptions.Singleline)]
    private static partial Regex SetToken();

    // Such as #logged_.* and #logged_.*:example\.org
    [GeneratedRegex(@"\A\^?(?<text>(?:[^\\.^$*+?{}\[\]()|]|\\[^A-Za-z0-9])*)\.[*+](?:[^\\.^$*+?{}\[\]()|]|\\[^A-Za-z0-9])*\$?\z")]
    private static partial Regex TextAndRest();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex EscapedPunctuation();
}
