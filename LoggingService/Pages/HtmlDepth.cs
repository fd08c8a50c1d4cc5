using System.Buffers;

namespace LoggingService.Pages;

/// <summary>
/// How deep HTML is nested, before it is parsed: recursion over very deep elements would end the process. An upper bound: an end tag counts
/// only for the innermost open element, since elements that are closed out of order may stay open. (HTML, "Tokenization".) Also how many
/// elements a parser may create: formatting elements that stay open are created again in each block ("Reconstruct the active formatting
/// elements").
/// </summary>
internal static class HtmlDepth
{
    private const int MaxElements = 20_000;

    private static readonly SearchValues<char> EndOfName = SearchValues.Create(" \t\n\r\f/>");

    private static readonly SearchValues<char> EndOfAttributeName = SearchValues.Create(" \t\n\r\f/>=");
    private static readonly SearchValues<char> EndOfValue = SearchValues.Create(" \t\n\r\f>");

    private static readonly HashSet<string> Void =
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

    private static readonly HashSet<string> Formatting =
        ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

    /// <summary>False also for comments and other markup that messages do not have, and that could hide tags.</summary>
    public static bool IsAtMost(string html, int depth)
    {
        var open = new Stack<string>();
        var (formatting, elements) = (0, 0);
        var rest = html.AsSpan();
        for (int start; (start = rest.IndexOf('<')) >= 0;)
        {
            rest = rest[(start + 1)..];
            var isEnd = rest.StartsWith('/');
            var tag = isEnd ? rest[1..] : rest;
            if (tag.IsEmpty || !char.IsAsciiLetter(tag[0]))
            {
                if (isEnd || rest.StartsWith('!') || rest.StartsWith('?'))
                {
                    return false;
                }

                continue;
            }

            var length = tag.IndexOfAny(EndOfName);
            var name = (length < 0 ? tag : tag[..length]).ToString().ToLowerInvariant();
            rest = length < 0 ? default : SkipAttributes(tag[length..]);
            if (isEnd)
            {
                if (open.TryPeek(out var innermost) && innermost == name)
                {
                    formatting -= Formatting.Contains(open.Pop()) ? 1 : 0;
                }
            }
            else if (!Void.Contains(name))
            {
                open.Push(name);
                formatting += Formatting.Contains(name) ? 1 : 0;
                if (open.Count > depth)
                {
                    return false;
                }
            }

            elements += 1 + formatting;
            if (elements > MaxElements)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What follows the tag whose name was read.</summary>
    private static ReadOnlySpan<char> SkipAttributes(ReadOnlySpan<char> rest)
    {
        while (true)
        {
            rest = rest.TrimStart(" \t\n\r\f/");
            if (rest.IsEmpty || rest[0] == '>')
            {
                return rest.IsEmpty ? rest : rest[1..];
            }

            // An equals sign at the start is a part of the name.
            var end = rest[1..].IndexOfAny(EndOfAttributeName);
            if (end < 0)
            {
                return default;
            }

            rest = rest[(end + 1)..];
            var value = rest.TrimStart(" \t\n\r\f");
            if (value.StartsWith('='))
            {
                rest = SkipValue(value[1..].TrimStart(" \t\n\r\f"));
            }
        }
    }

    private static ReadOnlySpan<char> SkipValue(ReadOnlySpan<char> rest)
    {
        var isQuoted = rest.StartsWith('"') || rest.StartsWith('\'');
        var end = isQuoted ? rest[1..].IndexOf(rest[0]) : rest.IndexOfAny(EndOfValue);
        return end < 0 ? default : isQuoted ? rest[(end + 2)..] : rest[end..];
    }
}
