namespace LoggingService.Rendering;

/// <summary>The noun for an event that a line refers to: "message", "image", "poll".</summary>
internal static class EventKind
{
    /// <summary><c>null</c> for state events and unknown types.</summary>
    public static string? Describe(RoomEvent e) => e.StateKey is not null ? null : e.CanonicalType switch
    {
        null => null,
        "m.room.redaction" => "redaction",
        "m.reaction" => "reaction",
        { } type when IsMessage(type) && Relation.IsEdit(e) => "edit",
        "m.room.message" => DescribeMessage(e.Content),
        "m.room.encrypted" or "m.encrypted" => "encrypted message",
        "m.sticker" => "sticker",
        "m.poll.start" => "poll",
        "m.poll.response" => "vote",
        "m.poll.end" => "poll result",
        "m.beacon" => "live location",
        "m.call.invite" => "call invitation",
        "m.emote" => "message",
        "m.voice" => "voice message",
        { } type => ExtensibleLine.Kind(type),
    };

    /// <summary>The noun, or else the type: <c>event com.example.thing</c>, <c>state m.room.topic [""]</c>.</summary>
    public static string DescribeOrType(RoomEvent e) =>
        Describe(e) ?? $"{(e.StateKey is null ? "event" : "state")} {LogLine.DescribeType(e)}";

    private static bool IsMessage(string type) =>
        type is "m.room.message" or "m.room.encrypted" or "m.sticker" or "m.poll.start"
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
