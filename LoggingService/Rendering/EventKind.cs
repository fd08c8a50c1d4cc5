namespace LoggingService.Rendering;

/// <summary>The noun for an event that a line refers to: "message", "image", "poll".</summary>
internal static class EventKind
{
    /// <summary><c>null</c> for state events and unknown types.</summary>
    public static string? Describe(RoomEvent e) => e.StateKey is not null ? null : e.CanonicalType switch
    {
        null => null,
        EventTypes.RoomRedaction => "redaction",
        EventTypes.Reaction => "reaction",
        { } type when IsMessage(type) && Relation.IsEdit(e) => "edit",
        EventTypes.RoomMessage => DescribeMessage(e.Content),
        EventTypes.RoomEncrypted or EventTypes.Encrypted => "encrypted message",
        EventTypes.Sticker => "sticker",
        EventTypes.PollStart => "poll",
        EventTypes.PollResponse => "vote",
        EventTypes.PollEnd => "poll result",
        EventTypes.Beacon => "live location",
        EventTypes.CallInvite => "call invitation",
        EventTypes.Emote => "message",
        EventTypes.Voice => "voice message",
        { } type => ExtensibleLine.Kind(type),
    };

    /// <summary>The noun, or else the type: <c>event com.example.thing</c>, <c>state m.room.topic [""]</c>.</summary>
    public static string DescribeOrType(RoomEvent e) =>
        Describe(e) ?? $"{(e.StateKey is null ? "event" : "state")} {LogLine.DescribeType(e)}";

    private static bool IsMessage(string type) =>
        type is EventTypes.RoomMessage or EventTypes.RoomEncrypted or EventTypes.Sticker or EventTypes.PollStart
        || ExtensibleLine.Kind(type) is not null;

    private static string DescribeMessage(RawJson content) => (MessageLine.FileKind(content), content["msgtype"u8].AsString()) switch
    {
        ("voice", _) => "voice message",
        ({ } kind, _) => kind,
        (_, "m.location") => "location",
        (_, "m.key.verification.request") => "verification request",
        _ => "message",
    };
}
