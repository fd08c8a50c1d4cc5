using System.Text.RegularExpressions;
using LoggingService.Consent;

namespace LoggingService.Erasure;

/// <summary>
/// Removes from an event what it repeats of others: the quotation of a reply, the previous content of state, events that the homeserver
/// bundled. (Client-Server API, "Fallbacks for rich replies" up to v1.12, "Aggregations of child events".)
/// </summary>
internal static partial class Quotation
{
    /// <summary>Deeper content is not known to have text.</summary>
    private const int MaxDepth = 16;

    /// <param name="line">The event's JSON, or its line of a record.</param>
    /// <param name="isReply">The event is a reply, or an edit of one.</param>
    /// <param name="hasPrevious">The event replaces state.</param>
    /// <param name="profileOf">Of a membership of this user also name and avatar are removed.</param>
    /// <returns>The bytes themselves if nothing was removed.</returns>
    public static ReadOnlyMemory<byte> Remove(RoomEvent e, RawJson line, bool isReply, bool hasPrevious, string? profileOf)
    {
        var isProfile = profileOf is not null && e.Type == "m.room.member" && e.StateKey == profileOf;
        return JsonEdit.Members(line, (name, value) =>
            JsonString.AreEqual(name, "content"u8) ? RemoveFromContent(value, isReply, isProfile)
            : JsonString.AreEqual(name, "unsigned"u8) && value.Kind == System.Text.Json.JsonValueKind.Object
                ? JsonEdit.Members(value, (inner, other) => IsCopy(inner, hasPrevious || isProfile) ? default : other.Bytes)
            : IsCopy(name, hasPrevious || isProfile) ? default
            : value.Bytes);
    }

    private static bool IsCopy(ReadOnlySpan<byte> name, bool hasPrevious) =>
        JsonString.AreEqual(name, "m.relations"u8) || (hasPrevious && JsonString.AreEqual(name, "prev_content"u8));

    private static ReadOnlyMemory<byte> RemoveFromContent(RawJson content, bool isReply, bool isProfile)
    {
        if (content.Kind != System.Text.Json.JsonValueKind.Object)
        {
            return content.Bytes;
        }

        return JsonEdit.Members(content, (name, value) =>
            JsonString.AreEqual(name, "m.relates_to"u8) ? value.Bytes
            : isProfile && (JsonString.AreEqual(name, "displayname"u8) || JsonString.AreEqual(name, "avatar_url"u8)) ? default
            : isReply ? JsonEdit.Strings(value, RemoveFromText, MaxDepth)
            : value.Bytes);
    }

    /// <summary>Without the quoted lines that it begins with, behind the mark of an edit, and without <c>mx-reply</c>.</summary>
    private static string RemoveFromText(string text) => ReplyQuote.FromBody(HtmlQuote().Replace(text, ""));

    [GeneratedRegex(
        "<mx-reply>.*?(</mx-reply>|$)|^(\\* )?\\s*<blockquote>.*?</blockquote>", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex HtmlQuote();
}
