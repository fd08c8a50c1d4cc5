using System.Globalization;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>What a message carries: a picture, a file, a sound, a place. (Client-Server API, "m.room.message msgtypes", "m.sticker".)</summary>
internal static class Attachment
{
    /// <summary>
    /// What the head says of a file: kind and name, width and height, length, size, address; what is known of them, in
    /// this order. (Client-Server API, "Media captions" for name and caption.)
    /// </summary>
    /// <param name="kind">The service's word for it.</param>
    /// <param name="content">The message's content, or an edit's new content.</param>
    /// <param name="body">The message's body.</param>
    /// <param name="types">Remembers wrong types.</param>
    /// <param name="caption">The body, where it isn't the file's name; else empty.</param>
    public static IEnumerable<string> File(string kind, RawJson content, string body, TypeCheck types, out string caption)
    {
        var fileName = types.NonEmpty(content["filename"u8]) ?? body;
        caption = fileName == body ? "" : body;

        var info = types.Object(content["info"u8]);
        var duration = types.Integer(info["duration"u8]) ?? types.Integer(types.Object(content["org.matrix.msc1767.audio"u8])["duration"u8]);

        // In an encrypted room the address is inside of `file`; clients get it wrong elsewhere too.
        var url = types.NonEmpty(content["url"u8]) ?? types.NonEmpty(types.Object(content["file"u8])["url"u8]);
        return Parts(kind, fileName, types.Integer(info["w"u8]), types.Integer(info["h"u8]), duration, types.Integer(info["size"u8]), url);
    }

    /// <summary>What the head says of a file, of whatever is known; the duration in milliseconds, the name empty where there is none.</summary>
    public static IEnumerable<string> Parts(string kind, string fileName, long? width, long? height, long? duration, long? size, string? url)
    {
        var parts = new List<string> { fileName.Length == 0 ? kind : $"{kind} {SafeText.FileName(fileName)}" };
        if (width > 0 && height > 0)
        {
            parts.Add($"{width}×{height}");
        }

        if (duration > 0)
        {
            parts.Add(Duration(duration.Value));
        }

        if (size >= 0)
        {
            parts.Add(Size(size.Value));
        }

        if (url is not null)
        {
            parts.Add(SafeText.ContentAddress(url));
        }

        return parts;
    }

    /// <summary>What the head says of a place: its coordinates; the bare word where there are none.</summary>
    public static string Location(RawJson content, TypeCheck types)
    {
        var uri = types.NonEmpty(content["geo_uri"u8]) ?? types.NonEmpty(Place(content, types)["uri"u8]);
        if (uri is null)
        {
            return "location";
        }

        // RFC 5870; other characters could end the head.
        var place = uri.StartsWith("geo:", StringComparison.Ordinal) ? uri[4..] : "";
        var isPlain = place.Length > 0 && place.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or ',' or ';' or '=' or '-' or '+');
        return $"location {(isPlain ? place : SafeText.Quoted(uri))}";
    }

    /// <summary>What the sender calls a place; <c>null</c> where they don't say. (MSC3488.)</summary>
    public static string? PlaceName(RawJson content, TypeCheck types) => types.NonEmpty(Place(content, types)["description"u8]);

    private static RawJson Place(RawJson content, TypeCheck types) =>
        types.Object(TypeCheck.StableOrUnstable(content["m.location"u8], content["org.matrix.msc3488.location"u8]));

    private static string Size(long bytes)
    {
        ReadOnlySpan<string> units = ["KB", "MB", "GB", "TB", "PB", "EB"];
        if (bytes < 1000)
        {
            return $"{bytes} B";
        }

        var unit = 0;
        var size = bytes / 1000.0;
        for (; size >= 999.95 && unit < units.Length - 1; unit++)
        {
            size /= 1000;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {units[unit]}");
    }

    private static string Duration(long milliseconds)
    {
        // The shortest sound lasts a moment.
        var seconds = Math.Max(1, milliseconds / 1000);
        return seconds < 3600 ? $"{seconds / 60}:{seconds % 60:00}" : $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}";
    }
}
