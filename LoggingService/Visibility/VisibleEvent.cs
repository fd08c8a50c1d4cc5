using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Consent;
using LoggingService.Rendering;

namespace LoggingService.Visibility;

/// <summary>An event as a reader may see it.</summary>
/// <param name="Position">Its line in the room's record.</param>
/// <param name="Event">
/// A copy without what the homeserver added, which may repeat other events, and without quotations of other messages; its text is without
/// spoilers, which only HTML can close. That of a stub has no words; of an event that was hidden it has no sender either.
/// </param>
/// <param name="Stub">Why it is a stub; <c>null</c> if it is not.</param>
/// <param name="Original">The id of the event of which this is an edit, also of a stub; <c>null</c> if it is none.</param>
internal sealed partial record VisibleEvent(LogPosition Position, RoomEvent Event, StubReason? Stub, string? Original)
{
    /// <summary>Deeper content is not known to have text.</summary>
    private const int MaxDepth = 16;

    // Everything else is the homeserver's or of other versions, such as prev_content, and may repeat events that were removed.
    private static readonly string[] Kept =
        ["content", "event_id", "fetched_ts", "origin_server_ts", "received_ts", "redacts", "room_id", "sender", "state_key", "type"];

    private static readonly string[] KeptOfStub = ["event_id", "origin_server_ts", "received_ts", "room_id", "sender", "type"];

    private static readonly string[] KeptOfHidden = ["event_id", "origin_server_ts", "received_ts", "room_id", "type"];

    /// <param name="e">As it is in the record.</param>
    /// <param name="previousName">Of a membership, the display name before.</param>
    public static VisibleEvent Create(LogPosition position, RoomEvent e, StubReason? stub, string? previousName)
    {
        var kept = stub switch { null => Kept, StubReason.Hidden => KeptOfHidden, _ => KeptOfStub };
        using var json = new MemoryStream();
        json.Write("{"u8);
        foreach (var key in kept)
        {
            var name = Encoding.ASCII.GetBytes(key);
            var value = e.Json[name];
            if (value.Kind != JsonValueKind.Undefined)
            {
                json.Write(json.Length > 1 ? ",\""u8 : "\""u8);
                json.Write(name);
                json.Write("\":"u8);
                json.Write((key == "content" ? WithoutQuotation(e, Spoilers.RemoveFromText(value)) : value.Bytes).Span);
            }
        }

        if (stub is not null)
        {
            json.Write(",\"content\":{}"u8);
        }
        else if (e is { Type: "m.room.member", StateKey: not null })
        {
            WritePrevious(json, e, previousName);
        }

        json.Write("}"u8);
        var copy = RoomEvent.FromJournal(json.ToArray(), e.IsNote)!;
        copy.FetchedTs = e.FetchedTs;
        return new(position, copy, stub, Relation.IsEdit(e) ? e.Content["m.relates_to"u8]["event_id"u8].AsString() : null);
    }

    /// <summary>Of the membership before only what the sentence about this one needs, and nothing that was removed since.</summary>
    private static void WritePrevious(MemoryStream json, RoomEvent e, string? previousName)
    {
        var previous = e.Unsigned["prev_content"u8];
        if (previous["membership"u8].AsString() is not { } membership)
        {
            return;
        }

        json.Write(Encoding.ASCII.GetBytes($",\"unsigned\":{{\"prev_content\":{{\"membership\":\"{JsonString.Encode(membership)}\""));
        if (previousName is not null)
        {
            json.Write(Encoding.ASCII.GetBytes($",\"displayname\":\"{JsonString.Encode(previousName)}\""));
        }

        var avatar = e.Content["avatar_url"u8];
        if (avatar.Kind == JsonValueKind.String && avatar.AsText() == previous["avatar_url"u8].AsText())
        {
            json.Write(",\"avatar_url\":"u8);
            json.Write(avatar.Bytes.Span);
        }

        json.Write("}}"u8);
    }

    private static ReadOnlyMemory<byte> WithoutQuotation(RoomEvent e, RawJson content)
    {
        var isReply = Relation.IsReply(e.Content);
        if (content.Kind != JsonValueKind.Object || (!isReply && !Relation.IsEdit(e)))
        {
            return content.Bytes;
        }

        return JsonEdit.Members(content, (name, value) => JsonString.AreEqual(name, "m.relates_to"u8)
            ? value.Bytes
            : JsonEdit.Strings(value, isReply ? FromReply : FromEdit, MaxDepth));
    }

    private static string FromReply(string text) => ReplyQuote.FromBody(Quotation().Replace(text, ""));

    /// <summary>An edit may be one of a reply: only what clients generate for those is taken for a quotation.</summary>
    private static string FromEdit(string text)
    {
        var mark = text.StartsWith("* >", StringComparison.Ordinal) ? "* " : "";
        return mark + Relation.RemoveFallback(Utf8Text.From(Quotation().Replace(text[mark.Length..], ""))).ToString();
    }

    [GeneratedRegex("<mx-reply\\b.*?(</mx-reply\\s*>|$)", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Quotation();
}
