using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>
/// What people send, made safe to stand in a line: it stays one line, moves no cursor, hides and reorders nothing.
/// Emoji sequences and scripts that need joiners stay whole. None of these throw, whatever the string holds.
/// </summary>
internal static class SafeText
{
    // In an id: what would end it or its head, and what encodes others, so that two ids are two words.
    private static readonly SearchValues<char> Encoded = SearchValues.Create("<>,\"%\\");

    /// <summary>
    /// A message's words: a newline as <c>␊</c> (a carriage return before it drops out), other control characters as
    /// their Control Pictures, and what would be invisible, reorders, or is no character at all as <c>\u{202E}</c>.
    /// </summary>
    public static string Escape(string text) => Escape(text, isIdentifier: false);

    private static string Escape(string text, bool isIdentifier)
    {
        var safe = FirstUnusual(text);
        if (safe == text.Length)
        {
            return text;
        }

        // What makes a character legitimate may stand before it: begin at a base that needs nothing.
        var output = new StringBuilder(text.Length + 16).Append(text, 0, safe);
        Rune? before = safe > 0 ? new Rune(text[safe - 1]) : null;
        for (var i = safe; i < text.Length;)
        {
            var left = text.AsSpan(i);
            if (Rune.DecodeFromUtf16(left, out var rune, out var length) != OperationStatus.Done)
            {
                AppendEscaped(output, left[0]);
                before = null;
                i++;
                continue;
            }

            var tags = isIdentifier ? 0 : Invisible.FlagTagLength(left);
            if (tags > 0)
            {
                output.Append(left[..(length + tags)]);
                length += tags;
            }
            else if (ControlPicture(rune.Value, left) is { } picture)
            {
                output.Append(picture);
                before = null;
                i += length;
                continue;
            }
            else if (Invisible.IsInvisible(rune) && (isIdentifier || !Invisible.IsAllowedHere(rune, before, left[length..])))
            {
                AppendEscaped(output, rune.Value);
                before = null;
                i += length;
                continue;
            }
            else
            {
                output.Append(left[..length]);
            }

            before = rune;
            i += length;
        }

        return output.ToString();
    }

    /// <summary>Words that stand in a sentence or a head of the service: between quotes, with <c>"</c> and <c>\</c> escaped, and safe.</summary>
    public static string Quoted(string text) =>
        $"\"{Escape(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal))}\"";

    /// <summary>
    /// A user id in a head: one word that ends where the head goes on. Space of any kind, <c>&lt;</c>, <c>&gt;</c>,
    /// <c>,</c>, <c>"</c>, <c>%</c> and <c>\</c> (historical ids may hold them) are percent-encoded; so is a <c>-</c> at
    /// its end, where a notice's head could seem to end. Nothing invisible stands. <c>?</c> where there is none.
    /// (Appendices, "Historical user IDs".)
    /// </summary>
    public static string UserId(string? id) =>
        string.IsNullOrEmpty(id) ? "?" : EncodeIdentifier(id) is var word && word.EndsWith('-') ? $"{word[..^1]}%2D" : word;

    /// <summary>An event id in a head or sentence: one word as of <see cref="UserId"/>; between quotes where it has no <c>$</c> and could pass for something else.</summary>
    public static string EventId(string id) => id.StartsWith('$') ? EncodeIdentifier(id) : Quoted(id);

    /// <summary>A room id in a sentence, as of <see cref="EventId"/>.</summary>
    public static string RoomId(string id) => id.StartsWith('!') ? EncodeIdentifier(id) : Quoted(id);

    /// <summary>A room's alias in a sentence, as of <see cref="EventId"/>.</summary>
    public static string RoomAlias(string alias) => alias.StartsWith('#') ? EncodeIdentifier(alias) : Quoted(alias);

    /// <summary>A server's name, or a pattern of such, in a sentence: as it is where its characters are a name's or <c>*</c> and <c>?</c> and it can be no word of the service's (<c>all</c>, <c>none</c>); else between quotes. (Appendices, "Server Name".)</summary>
    public static string ServerName(string name) =>
        name.AsSpan().IndexOfAny(".:*?") >= 0 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or ':' or '[' or ']' or '*' or '?') ? name : Quoted(name);

    /// <summary>
    /// An event's type where the service's verbs stand: as it is where it is letters, digits, <c>_</c> and <c>-</c>
    /// with a dot between, which no verb is, and doesn't end as a notice's head does; else between quotes.
    /// </summary>
    public static string EventType(string type) =>
        type.Contains('.', StringComparison.Ordinal) && type[0] != '.' && type[^1] is not ('.' or '-')
        && type.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? type
            : Quoted(type);

    /// <summary>
    /// A file's name in a head: as it is where it is one plain word with a dot in it, so that it can pass for no size,
    /// address or sentence, nor for more of the head; else between quotes.
    /// </summary>
    public static string FileName(string name) =>
        name.Contains('.', StringComparison.Ordinal) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '(' or ')' or '+')
            ? name
            : Quoted(name);

    /// <summary>A content address in a head: one word as of <see cref="UserId"/>; between quotes where it is none. (Client-Server API, "Matrix Content (mxc://) URIs".)</summary>
    public static string ContentAddress(string url) => url.StartsWith("mxc://", StringComparison.Ordinal) ? EncodeIdentifier(url) : $"url {Quoted(url)}";

    /// <summary>The beginning of a message, to tell it by: 40 characters at most, as a person counts them, between quotes.</summary>
    public static string Excerpt(string text)
    {
        const int Characters = 40, Units = 200;
        var length = 0;
        for (var count = 0; count < Characters && length < text.Length; count++)
        {
            var next = StringInfo.GetNextTextElementLength(text, length);
            if (length + next > Units)
            {
                break;
            }

            length += next;
        }

        return Quoted(length == text.Length ? text : $"{text.AsSpan(0, length)}…");
    }

    private static string EncodeIdentifier(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.AsSpan().ContainsAny(Encoded))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var c in text)
        {
            // Control characters get their pictures below; the braille blank looks like a space.
            if (Encoded.Contains(c) || c == '\u2800' || (char.IsWhiteSpace(c) && !char.IsControl(c) && c is not ('\u2028' or '\u2029')))
            {
                foreach (var b in bytes[..Encoding.UTF8.GetBytes([c], bytes)])
                {
                    encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
                }
            }
            else
            {
                encoded.Append(c);
            }
        }

        return Escape(encoded.ToString(), isIdentifier: true);
    }

    /// <summary>Where the first character stands that has to be looked at; the text's length where none has.</summary>
    private static int FirstUnusual(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ((>= ' ' and <= '~') or (>= '\u00A0' and <= '\u02FF' and not '\u00AD')))
            {
                return i;
            }
        }

        return text.Length;
    }

    /// <summary>What stands for a control character; <c>null</c> for any other.</summary>
    private static string? ControlPicture(int value, ReadOnlySpan<char> text) => value switch
    {
        '\r' when text.Length > 1 && text[1] == '\n' => "",
        < ' ' => ((char)('\u2400' + value)).ToString(),
        0x7F => "␡",
        _ => null,
    };

    private static void AppendEscaped(StringBuilder output, int value) => output.Append(CultureInfo.InvariantCulture, $"\\u{{{value:X}}}");
}
