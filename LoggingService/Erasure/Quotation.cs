using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Consent;

namespace LoggingService.Erasure;

/// <summary>
/// Removes from an event what it repeats of others: the quotation of a reply, the previous content of state, events that the homeserver
/// embedded. (Client-Server API, "Fallbacks for rich replies" up to v1.12, "Aggregations of child events".)
/// </summary>
/// <param name="IsReply">The event is a reply, or an edit of one.</param>
/// <param name="HasPrevious">The event replaces state that is erased.</param>
/// <param name="IsPreviousSender">The sender of that state is erased.</param>
/// <param name="IsProfile">The event is a membership with the profile of an erased user.</param>
/// <param name="MayBundle">The homeserver may have bundled erased events with it.</param>
internal readonly partial record struct Quotation(
    bool IsReply, bool HasPrevious, bool IsPreviousSender, bool IsProfile, bool MayBundle)
{
    /// <summary>Deeper content is not known to have text.</summary>
    private const int MaxDepth = 16;

    /// <param name="line">The event's JSON, or its line of a record.</param>
    /// <returns>The bytes themselves if nothing was removed.</returns>
    public ReadOnlyMemory<byte> Remove(RawJson line, EmbeddedEvents embedded)
    {
        var quotation = this;
        return JsonEdit.Members(line, (name, value) =>
            JsonString.AreEqual(name, "content"u8) ? quotation.RemoveFromContent(value)
            : JsonString.AreEqual(name, "unsigned"u8) && value.Kind == JsonValueKind.Object
                ? JsonEdit.Members(value, (inner, other) => quotation.IsCopy(inner) ? default : embedded.Erase(other))
            : quotation.IsCopy(name) ? default
            : IsEmbedded(name) ? embedded.Erase(value)
            : value.Bytes);
    }

    /// <summary>What Synapse repeats outside of <c>unsigned</c>, and has embedded events.</summary>
    private static bool IsEmbedded(ReadOnlySpan<byte> name) =>
        JsonString.AreEqual(name, "redacted_because"u8)
        || JsonString.AreEqual(name, "invite_room_state"u8)
        || JsonString.AreEqual(name, "knock_room_state"u8);

    private bool IsCopy(ReadOnlySpan<byte> name) =>
        (MayBundle && JsonString.AreEqual(name, "m.relations"u8))
        || ((HasPrevious || IsProfile) && JsonString.AreEqual(name, "prev_content"u8))
        || (IsPreviousSender && JsonString.AreEqual(name, "prev_sender"u8));

    private ReadOnlyMemory<byte> RemoveFromContent(RawJson content)
    {
        if (content.Kind != JsonValueKind.Object)
        {
            return content.Bytes;
        }

        var (isReply, isProfile) = (IsReply, IsProfile);
        return JsonEdit.Members(content, (name, value) =>
            JsonString.AreEqual(name, "m.relates_to"u8) ? value.Bytes
            : isProfile && IsOfProfile(name) ? default
            : isReply ? JsonEdit.Strings(value, RemoveFromText, MaxDepth)
            : value.Bytes);
    }

    /// <summary>Part of a membership that is about the user, whoever sent it.</summary>
    private static bool IsOfProfile(ReadOnlySpan<byte> name) =>
        JsonString.AreEqual(name, "displayname"u8)
        || JsonString.AreEqual(name, "avatar_url"u8)
        || JsonString.AreEqual(name, "third_party_invite"u8);

    /// <summary>Without the quoted lines that it begins with, behind the mark of an edit, and without <c>mx-reply</c>.</summary>
    private static string RemoveFromText(string text) => ReplyQuote.FromBody(HtmlQuote().Replace(text, ""));

    [GeneratedRegex(
        "<mx-reply>.*?(</mx-reply>|$)|^(\\* )?\\s*<blockquote>.*?</blockquote>", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex HtmlQuote();
}
