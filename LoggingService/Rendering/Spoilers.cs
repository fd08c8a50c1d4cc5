using System.Text;

namespace LoggingService.Rendering;

/// <summary>
/// What a reader has to uncover. (Client-Server API, "Spoiler messages".) Only HTML marks it: the text of a message has it, too.
/// </summary>
internal static class Spoilers
{
    /// <summary>
    /// A copy of a message's content in which the text, also that of an edit, is the text of its HTML, without spoilers; the content
    /// itself if it has none.
    /// </summary>
    public static RawJson RemoveFromText(RawJson content)
    {
        var bytes = RemoveFromText(content, mayBeEdit: true);
        return bytes.Equals(content.Bytes) ? content
            : RawJson.TryParse(bytes, out var json, out _) ? json
            : throw new InvalidDataException("The copy is no JSON");
    }

    private static ReadOnlyMemory<byte> RemoveFromText(RawJson content, bool mayBeEdit)
    {
        var hasSpoiler = HasSpoiler(content);
        if (!hasSpoiler && !(mayBeEdit && HasSpoiler(content["m.new_content"u8])))
        {
            return content.Bytes;
        }

        var text = hasSpoiler ? Encoding.ASCII.GetBytes($"\"{JsonString.Encode(HtmlText.Formatted(content)?.ToString() ?? "")}\"") : null;
        return JsonEdit.Members(content, (name, value) =>
            text is not null && JsonString.AreEqual(name, "body"u8) ? text
            : mayBeEdit && JsonString.AreEqual(name, "m.new_content"u8) ? RemoveFromText(value, mayBeEdit: false)
            : value.Bytes);
    }

    private static bool HasSpoiler(RawJson content) =>
        content["format"u8].IsString("org.matrix.custom.html"u8)
        && content["formatted_body"u8].AsString()?.Contains("data-mx-spoiler", StringComparison.OrdinalIgnoreCase) == true;
}
