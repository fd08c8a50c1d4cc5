namespace LoggingService.Rendering;

/// <summary>The noun for an event that a line refers to: "message", "image", "poll".</summary>
internal static class EventKind
{
    /// <summary>Empty for state events and unknown types.</summary>
    public static ReadOnlySpan<byte> Describe(RoomEvent e) => e.StateKey is not null ? default : e.CanonicalType switch
    {
        null => default,
        "m.room.redaction" => "redaction"u8,
        "m.reaction" => "reaction"u8,
        { } type when IsMessage(type) && Relation.IsEdit(e) => "edit"u8,
        "m.room.message" => DescribeMessage(e.Content),
        "m.room.encrypted" or "m.encrypted" => "encrypted message"u8,
        "m.sticker" => "sticker"u8,
        "m.poll.start" => "poll"u8,
        "m.poll.response" => "vote"u8,
        "m.poll.end" => "poll result"u8,
        "m.beacon" => "live location"u8,
        "m.call.invite" => "call invitation"u8,
        "m.emote" => "message"u8,
        "m.voice" => "voice message"u8,
        { } type => ExtensibleLine.Kind(type),
    };

    /// <summary>A membership of a group call, which a reaction or a decline refers to.</summary>
    public static bool IsCallMember(RoomEvent e) => e.CanonicalType is "m.call.member" or "m.rtc.member";

    /// <summary>The noun, or else the type: <c>event com.example.thing</c>, <c>state m.room.topic [""]</c>.</summary>
    public static Phrase DescribeOrType(RoomEvent e)
    {
        var kind = Describe(e);
        return kind.IsEmpty ? $"{(e.StateKey is null ? "event"u8 : "state"u8)} {LogLine.DescribeType(e)}" : kind;
    }

    private static bool IsMessage(string type) =>
        type is "m.room.message" or "m.room.encrypted" or "m.sticker" or "m.poll.start"
        || !ExtensibleLine.Kind(type).IsEmpty;

    private static ReadOnlySpan<byte> DescribeMessage(RawJson content)
    {
        var kind = MessageLine.FileKind(content);
        if (!kind.IsEmpty)
        {
            return kind.SequenceEqual("voice"u8) ? "voice message"u8 : kind;
        }

        var type = content["msgtype"u8];
        return type.IsString("m.location"u8) ? "location"u8
            : Gallery.IsGallery(type) ? "gallery"u8
            : type.IsString("m.key.verification.request"u8) ? "verification request"u8
            : "message"u8;
    }
}
