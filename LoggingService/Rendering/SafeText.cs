using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>
/// Escapes untrusted text for a line: it can't break the line, move the cursor, hide or reorder text. Emoji sequences and
/// scripts that need joiners are kept. Never throws, whatever the string contains.
/// </summary>
internal static class SafeText
{
    // Characters that would end an identifier or its head, and those that encode others, so that the encoding is injective.
    private static readonly SearchValues<char> Reserved = SearchValues.Create("<>,\"%\\");

    // ASCII and Latin letters, without control characters and the soft hyphen.
    private static readonly SearchValues<char> Harmless = SearchValues.Create(
        [.. Enumerable.Range(0, 0x300).Select(static c => (char)c).Where(static c => !char.IsControl(c) && c != '\u00AD')]);

    /// <summary>
    /// Text after a head: a newline as <c>␊</c> (without a carriage return before it), other control characters as their
    /// Control Pictures, and invisible, reordering and invalid characters as <c>\u{202E}</c>.
    /// </summary>
    public static string Escape(string text) => Escape(text, isIdentifier: false);

    /// <summary>Text within a sentence or a head: escaped, in quotes, with <c>"</c> and <c>\</c> escaped.</summary>
    public static string Quoted(string text) =>
        $"\"{Escape(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal))}\"";

    /// <summary><c>: "text"</c> at the end of a sentence; empty if there is none.</summary>
    public static string QuotedSuffix(string? text) => text is null ? "" : $": {Quoted(text)}";

    /// <summary>
    /// A user id as one unambiguous token: white space, <c>&lt;</c>, <c>&gt;</c>, <c>,</c>, <c>"</c>, <c>%</c> and <c>\</c>
    /// (historical ids may contain them) are percent-encoded; so is a <c>-</c> at the end, which could end a notice's head.
    /// Every invisible character is escaped. <c>?</c> if there is none. (Appendices, "Historical user IDs".)
    /// </summary>
    public static string UserId(string? id)
    {
        if (string.IsNullOrEmpty(id))
        {
            return "?";
        }

        var encoded = EncodeIdentifier(id);
        return encoded.EndsWith('-') ? $"{encoded[..^1]}%2D" : encoded;
    }

    /// <summary>A token as for <see cref="UserId"/>, like the next two; quoted without its sigil, as it could imitate another.</summary>
    public static string EventId(string id) => id.StartsWith('$') ? EncodeIdentifier(id) : Quoted(id);

    public static string RoomId(string id) => id.StartsWith('!') ? EncodeIdentifier(id) : Quoted(id);

    public static string RoomAlias(string alias) => alias.StartsWith('#') ? EncodeIdentifier(alias) : Quoted(alias);

    /// <summary>A server name or a glob of such; quoted if it could be a word of the sentence. (Appendices, "Server Name".)</summary>
    public static string ServerName(string name) => QuotedUnless(name.AsSpan().ContainsAny(".:*?"), name, ".-:[]*?");

    /// <summary>Quoted unless it has an inner dot, which no verb of a sentence has, and doesn't end like a notice's head.</summary>
    public static string EventType(string type) =>
        QuotedUnless(type.Contains('.') && type[0] != '.' && type[^1] is not ('.' or '-'), type, "._-");

    /// <summary>A file name in a head; quoted unless it is a plain token with a dot, which no other part of a head is.</summary>
    public static string FileName(string name) => QuotedUnless(name.Contains('.'), name, "._-()+");

    /// <summary>A content URI in a head, as <see cref="EventId"/>. (Client-Server API, "Matrix Content (mxc://) URIs".)</summary>
    public static string ContentAddress(string url) =>
        url.StartsWith("mxc://", StringComparison.Ordinal) ? EncodeIdentifier(url) : $"url {Quoted(url)}";

    /// <summary>The start of a message, quoted: at most 40 characters as perceived by users.</summary>
    public static string Excerpt(string text)
    {
        const int MaxCharacters = 40;
        const int MaxLength = 200;
        var length = 0;
        for (var count = 0; count < MaxCharacters && length < text.Length; count++)
        {
            var next = StringInfo.GetNextTextElementLength(text, length);
            if (length + next > MaxLength)
            {
                break;
            }

            length += next;
        }

        return Quoted(length == text.Length ? text : $"{text.AsSpan(0, length)}…");
    }

    private static string QuotedUnless(bool isPlain, string text, string punctuation) =>
        isPlain && text.All(c => char.IsAsciiLetterOrDigit(c) || punctuation.Contains(c)) ? text : Quoted(text);

    private static string Escape(string text, bool isIdentifier)
    {
        var start = text.AsSpan().IndexOfAnyExcept(Harmless);
        if (start < 0)
        {
            return text;
        }

        // The character before the first suspicious one may justify it.
        var output = new StringBuilder(text.Length + 16).Append(text, 0, start);
        Rune? previous = start > 0 ? new Rune(text[start - 1]) : null;
        for (var i = start; i < text.Length;)
        {
            var rest = text.AsSpan(i);
            var isValid = Rune.DecodeFromUtf16(rest, out var rune, out var length) == OperationStatus.Done;
            var isHidden = !isValid
                || (Invisible.IsInvisible(rune) && (isIdentifier || !Invisible.IsAllowedHere(rune, previous, rest[length..])));
            var replacement = ControlPicture(rest) ?? (isHidden ? $"\\u{{{(isValid ? rune.Value : rest[0]):X}}}" : null);
            length += isValid && !isIdentifier ? Invisible.FlagTagLength(rest) : 0;
            output.Append(replacement is null ? rest[..length] : replacement);
            previous = replacement is null ? rune : null;
            i += length;
        }

        return output.ToString();
    }

    private static string EncodeIdentifier(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.AsSpan().ContainsAny(Reserved))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            // Control characters are escaped below, as pictures. The Braille blank looks like a space.
            var isSpace = c == '\u2800' || (char.IsWhiteSpace(c) && !char.IsControl(c) && c is not ('\u2028' or '\u2029'));
            encoded.Append(isSpace || Reserved.Contains(c) ? Uri.EscapeDataString([c]) : c.ToString());
        }

        return Escape(encoded.ToString(), isIdentifier: true);
    }

    private static string? ControlPicture(ReadOnlySpan<char> text) => text[0] switch
    {
        '\r' when text.Length > 1 && text[1] == '\n' => "",
        < ' ' => ((char)('\u2400' + text[0])).ToString(),
        '\u007F' => "␡",
        _ => null,
    };
}
