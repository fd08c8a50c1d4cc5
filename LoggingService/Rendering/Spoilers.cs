using System.Text;
using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>
/// What a reader has to uncover. (Client-Server API, "Spoiler messages".) Only HTML marks it: the text of a message has it, too.
/// </summary>
internal static class Spoilers
{
    private const string Attribute = "data-mx-spoiler";

    /// <summary>No text that is shown is deeper.</summary>
    private const int MaxDepth = 16;

    /// <summary>
    /// A copy of a message's content in which each text, also of an edit, a caption or a part, is the text of the HTML next to it, without
    /// spoilers; the content itself if it has none.
    /// </summary>
    public static RawJson RemoveFromText(RawJson content)
    {
        if (!MayHaveSpoiler(content.Bytes.Span))
        {
            return content;
        }

        var bytes = Remove(content, MaxDepth);
        return bytes.Equals(content.Bytes) ? content
            : RawJson.TryParse(bytes, out var json, out _) ? json
            : throw new InvalidDataException("The copy is no JSON");
    }

    /// <summary>Most messages have none; one with escapes may.</summary>
    private static bool MayHaveSpoiler(ReadOnlySpan<byte> json) =>
        json.IndexOf("-mx-"u8) >= 0 || json.IndexOf("-MX-"u8) >= 0 || json.IndexOf("-Mx-"u8) >= 0 || json.IndexOf("-mX-"u8) >= 0
        || json.IndexOf("\\u"u8) >= 0;

    private static ReadOnlyMemory<byte> Remove(RawJson json, int depth) => json.Kind switch
    {
        JsonValueKind.Object when depth > 0 => RemoveFromMembers(json, depth),
        JsonValueKind.Array when depth > 0 => JsonEdit.Items(json, item => Remove(item, depth - 1)),
        _ => json.Bytes,
    };

    private static ReadOnlyMemory<byte> RemoveFromMembers(RawJson json, int depth)
    {
        var text = TextOf(json) is { } closed ? Encoding.ASCII.GetBytes($"\"{JsonString.Encode(closed)}\"") : null;
        return JsonEdit.Members(json, (name, value) =>
            text is null ? Remove(value, depth - 1)
            : JsonString.AreEqual(name, "body"u8) ? text
            : !IsTextBlock(name) ? Remove(value, depth - 1)
            : value.Kind == JsonValueKind.String ? text
            : JsonEdit.Items(value, item => IsHtml(item) ? item.Bytes : WithBody(item, text)));
    }

    /// <summary>The text of an object's HTML, or else of its caption, or of its new content; <c>null</c> without a spoiler.</summary>
    private static string? TextOf(RawJson json) =>
        TextOrCaption(json) ?? (TextOrCaption(json["m.new_content"u8]) is { } text ? $"* {text}" : null);

    private static string? TextOrCaption(RawJson json) =>
        OwnText(json) ?? OwnText(TypeCheck.StableOrUnstable(json["m.caption"u8], json["org.matrix.msc1767.caption"u8]));

    private static string? OwnText(RawJson json) =>
        (json["format"u8].IsString("org.matrix.custom.html"u8) ? TextOfHtml(json["formatted_body"u8]) : null)
        ?? TextOfHtml(json["m.html"u8])
        ?? TextOfHtml(json["org.matrix.msc1767.html"u8])
        ?? TextOfBlock(json["m.text"u8])
        ?? TextOfBlock(json["org.matrix.msc1767.text"u8])
        ?? TextOfBlock(json["org.matrix.msc1767.message"u8]);

    private static string? TextOfBlock(RawJson representations) => representations.Items()
        .Select(item => IsHtml(item) ? TextOfHtml(item["body"u8]) : null)
        .FirstOrDefault(text => text is not null);

    private static string? TextOfHtml(RawJson html) =>
        html.AsString() is { } text && text.Contains(Attribute, StringComparison.OrdinalIgnoreCase)
            ? HtmlText.Convert(text)?.ToString() ?? ""
            : null;

    private static bool IsHtml(RawJson representation) => representation["mimetype"u8].IsString("text/html"u8);

    private static bool IsTextBlock(ReadOnlySpan<byte> name) =>
        JsonString.AreEqual(name, "m.text"u8)
        || JsonString.AreEqual(name, "org.matrix.msc1767.text"u8)
        || JsonString.AreEqual(name, "org.matrix.msc1767.message"u8);

    private static ReadOnlyMemory<byte> WithBody(RawJson representation, ReadOnlyMemory<byte> text) =>
        representation.Kind == JsonValueKind.Object
            ? JsonEdit.Members(representation, (name, value) => JsonString.AreEqual(name, "body"u8) ? text : value.Bytes)
            : representation.Bytes;
}
