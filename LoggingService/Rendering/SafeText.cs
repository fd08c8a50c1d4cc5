using System.Buffers;

namespace LoggingService.Rendering;

/// <summary>
/// Untrusted text in the form in which a line may contain it: it can't break the line, move the cursor, hide or reorder
/// text. It is escaped where it is written (<see cref="Escaping"/>). Never throws, whatever the text contains.
/// </summary>
internal readonly struct SafeText
{
    private const string LettersAndDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private static readonly SearchValues<byte> InServerName = PlainWith(".-:[]*?");
    private static readonly SearchValues<byte> InEventType = PlainWith("._-");
    private static readonly SearchValues<byte> InFileName = PlainWith("._-()+");
    private static readonly SearchValues<byte> InVersion = PlainWith(".-");
    private static readonly SearchValues<byte> InCoordinates = PlainWith(".,;=-+");

    private readonly Form _form;
    private readonly Utf8Text _text;

    private SafeText(Form form, Utf8Text text)
    {
        _form = form;
        _text = text;
    }

    private enum Form
    {
        None,
        Plain,
        Escaped,
        Quoted,
        QuotedSuffix,
        Excerpt,
        Identifier,
        UserId,
        Url,
    }

    /// <summary>
    /// Text after a head: a newline as <c>␊</c> (without a carriage return before it), other control characters as their
    /// Control Pictures, and invisible, reordering and invalid characters as <c>\u{202E}</c>.
    /// </summary>
    public static SafeText Escape(Utf8Text text) => new(Form.Escaped, text);

    /// <summary>The same for text that is no part of a line; usually the string itself.</summary>
    public static string Escape(string text) => Escaping.IsHarmless(text) ? text : Escape(Utf8Text.From(text)).ToString();

    /// <summary>Text within a sentence or a head: escaped, in quotes, with <c>"</c> and <c>\</c> escaped.</summary>
    public static SafeText Quoted(Utf8Text text) => new(Form.Quoted, text);

    /// <summary><c>: "text"</c> at the end of a sentence; empty if there is none.</summary>
    public static SafeText QuotedSuffix(Utf8Text? text) => text is { } present ? new(Form.QuotedSuffix, present) : default;

    /// <summary>
    /// A user id as one unambiguous token: white space, <c>&lt;</c>, <c>&gt;</c>, <c>,</c>, <c>"</c>, <c>%</c> and <c>\</c>
    /// (historical ids may contain them) are percent-encoded; so is a <c>-</c> at the end, which could end a notice's head.
    /// Every invisible character is escaped. <c>?</c> if there is none. (Appendices, "Historical user IDs".)
    /// </summary>
    public static SafeText UserId(Utf8Text? id) => new(Form.UserId, id ?? default);

    /// <summary>A token as for <see cref="UserId"/>, like the next two; quoted without its sigil, as it could imitate another.</summary>
    public static SafeText EventId(Utf8Text id) => Identifier(id, "$"u8);

    public static SafeText RoomId(Utf8Text id) => Identifier(id, "!"u8);

    public static SafeText RoomAlias(Utf8Text alias) => Identifier(alias, "#"u8);

    /// <summary>A server name or a glob of such; quoted if it could be a word of the sentence. (Appendices, "Server Name".)</summary>
    public static SafeText ServerName(Utf8Text name) => QuotedUnless(name.Span.ContainsAny(".:*?"u8), name, InServerName);

    /// <summary>Quoted unless it has an inner dot, which no verb of a sentence has, and doesn't end like a notice's head.</summary>
    public static SafeText EventType(Utf8Text type) => QuotedUnless(
        type.Span.Contains((byte)'.') && type.Span[0] != '.' && type.Span[^1] is not ((byte)'.' or (byte)'-'), type, InEventType);

    /// <summary>A file name in a head; quoted unless it is a plain token with a dot, which no other part of a head is.</summary>
    public static SafeText FileName(Utf8Text name) => QuotedUnless(name.Span.Contains((byte)'.'), name, InFileName);

    /// <summary>Quoted unless it has only the recommended characters. (Client-Server API, "Room versions".)</summary>
    public static SafeText RoomVersion(Utf8Text version) => QuotedUnless(isPlain: true, version, InVersion);

    /// <summary>The coordinates of a geo URI; the whole, quoted, if other characters could end the head. (RFC 5870.)</summary>
    public static SafeText GeoUri(Utf8Text uri)
    {
        var scheme = "geo:"u8;
        return uri.StartsWith(scheme) && uri.Length > scheme.Length && !uri.Span[scheme.Length..].ContainsAnyExcept(InCoordinates)
            ? new(Form.Plain, uri[scheme.Length..])
            : Quoted(uri);
    }

    /// <summary>A content URI in a head, as <see cref="EventId"/>. (Client-Server API, "Matrix Content (mxc://) URIs".)</summary>
    public static SafeText ContentAddress(Utf8Text url) => new(url.StartsWith("mxc://"u8) ? Form.Identifier : Form.Url, url);

    /// <summary>The start of a message, quoted: at most 40 characters as perceived by users.</summary>
    public static SafeText Excerpt(Utf8Text text) => new(Form.Excerpt, text);

    public void WriteTo(LineBuffer output)
    {
        var text = _text.Span;
        switch (_form)
        {
            case Form.Plain:
                output.Append(text);
                break;
            case Form.Escaped:
                Escaping.WriteText(output, text);
                break;
            case Form.Quoted:
                WriteQuoted(output, ""u8, text, "\""u8);
                break;
            case Form.QuotedSuffix:
                WriteQuoted(output, ": "u8, text, "\""u8);
                break;
            case Form.Url:
                WriteQuoted(output, "url "u8, text, "\""u8);
                break;
            case Form.Excerpt:
                var length = ExcerptLength.Of(text);
                WriteQuoted(output, ""u8, text[..length], length == text.Length ? "\""u8 : "…\""u8);
                break;
            case Form.Identifier:
                Escaping.WriteIdentifier(output, text);
                break;
            case Form.UserId when text.IsEmpty:
                output.Append("?"u8);
                break;
            case Form.UserId when text[^1] == '-':
                Escaping.WriteIdentifier(output, text[..^1]);
                output.Append("%2D"u8);
                break;
            case Form.UserId:
                Escaping.WriteIdentifier(output, text);
                break;
        }
    }

    public override string ToString()
    {
        var output = new LineBuffer();
        WriteTo(output);
        return Utf8Text.Decode(output.Written);
    }

    private static void WriteQuoted(LineBuffer output, ReadOnlySpan<byte> before, ReadOnlySpan<byte> text, ReadOnlySpan<byte> end)
    {
        output.Append(before);
        output.Append("\""u8);
        Escaping.WriteInQuotes(output, text);
        output.Append(end);
    }

    private static SafeText Identifier(Utf8Text id, ReadOnlySpan<byte> sigil) =>
        new(id.StartsWith(sigil) ? Form.Identifier : Form.Quoted, id);

    private static SafeText QuotedUnless(bool isPlain, Utf8Text text, SearchValues<byte> plain) =>
        new(isPlain && !text.Span.ContainsAnyExcept(plain) ? Form.Plain : Form.Quoted, text);

    private static SearchValues<byte> PlainWith(string punctuation) =>
        SearchValues.Create([.. (LettersAndDigits + punctuation).Select(static c => (byte)c)]);
}
