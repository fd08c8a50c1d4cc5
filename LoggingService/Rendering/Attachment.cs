namespace LoggingService.Rendering;

/// <summary>The details of a file or location in a message's head. (Client-Server API, "m.room.message msgtypes", "m.sticker".)</summary>
internal static class Attachment
{
    /// <summary>A message that is a file; the body is its name, or else a caption. (Client-Server API, "Media captions".)</summary>
    public static MessageContent File(ReadOnlySpan<byte> kind, RawJson content, Utf8Text body)
    {
        // A detail of the wrong type is omitted.
        var types = new TypeCheck();
        var fileName = types.NonEmpty(content["filename"u8]) ?? body;
        var info = types.Object(content["info"u8]);
        var width = types.Integer(info["w"u8]);
        var height = types.Integer(info["h"u8]);
        var duration = types.Integer(info["duration"u8])
            ?? types.Integer(types.Object(content["org.matrix.msc1767.audio"u8])["duration"u8]);
        var size = types.Integer(info["size"u8]);

        // Encrypted rooms have the address within `file`; some clients use that elsewhere too.
        var url = types.NonEmpty(content["url"u8]) ?? types.NonEmpty(types.Object(content["file"u8])["url"u8]);
        return MessageContent.Plain(fileName == body ? default : body, Details(kind, fileName, width, height, duration, size, url));
    }

    /// <summary>As far as known; the duration in milliseconds, the file name empty if there is none.</summary>
    public static Phrase Details(
        ReadOnlySpan<byte> kind, Utf8Text fileName, long? width, long? height, long? duration, long? size, Utf8Text? url)
    {
        Phrase?[] details =
        [
            fileName.Length == 0 ? kind : $"{kind} {SafeText.FileName(fileName)}",
            width > 0 && height > 0 ? $"{width.Value}×{height.Value}" : Phrase.None,
            duration > 0 ? FormatDuration(duration.Value) : null,
            size >= 0 ? FormatSize(size.Value) : null,
            url is { } address ? SafeText.ContentAddress(address) : Phrase.None,
        ];
        return Prose.List(details);
    }

    /// <summary><c>location 55.6,13.0</c>; <c>null</c> without coordinates.</summary>
    public static Phrase? Coordinates(RawJson content)
    {
        var types = new TypeCheck();
        return (types.NonEmpty(content["geo_uri"u8]) ?? types.NonEmpty(LocationBlock(content, types)["uri"u8])) is { } uri
            ? $"location {SafeText.GeoUri(uri)}"
            : Phrase.None;
    }

    /// <summary>The sender's description of a location. (MSC3488.)</summary>
    public static Utf8Text? LocationName(RawJson content)
    {
        var types = new TypeCheck();
        return types.NonEmpty(LocationBlock(content, types)["description"u8]);
    }

    private static RawJson LocationBlock(RawJson content, TypeCheck types) =>
        types.Object(TypeCheck.StableOrUnstable(content["m.location"u8], content["org.matrix.msc3488.location"u8]));

    /// <summary><c>66.5 KB</c>.</summary>
    public static string Size(long bytes) => System.Text.Encoding.UTF8.GetString(FormatSize(bytes).Span);

    private static Phrase FormatSize(long bytes)
    {
        ReadOnlySpan<string> units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
        var unit = 0;
        var size = (double)bytes;
        for (; size >= 999.95 && unit < units.Length - 1; unit++)
        {
            size /= 1000;
        }

        Phrase phrase = $"{size:0.#} ";
        phrase.AppendLiteral(units[unit]);
        return phrase;
    }

    private static Phrase FormatDuration(long milliseconds)
    {
        // Less than a second is shown as one.
        var seconds = Math.Max(1, milliseconds / 1000);
        Phrase shorter = $"{seconds / 60}:{seconds % 60:00}";
        return seconds < 3600 ? shorter : $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}";
    }
}
