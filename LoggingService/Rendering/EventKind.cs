using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>What a person calls an event that a line refers to: "message", "image", "poll".</summary>
internal static class EventKind
{
    /// <summary>The word for it; <c>null</c> for a state event and for a kind that nobody has a word for.</summary>
    public static string? Describe(RoomEvent e) => e.StateKey is not null ? null : e.Type switch
    {
        "m.room.redaction" => "redaction",
        "m.reaction" => "reaction",
        not null when IsMessage(e) && Relation.IsEdit(e) => "edit",
        "m.room.message" => DescribeMessage(e.Content),
        "m.room.encrypted" => "encrypted message",
        "m.sticker" => "sticker",
        "m.poll.start" or "org.matrix.msc3381.poll.start" => "poll",
        "m.poll.response" or "org.matrix.msc3381.poll.response" => "vote",
        "m.poll.end" or "org.matrix.msc3381.poll.end" => "poll result",
        "m.beacon" or "org.matrix.msc3672.beacon" or "org.matrix.msc3489.beacon" => "live location",
        "m.call.invite" => "call invitation",
        not null => ExtensibleLine.Kind(e.Type) switch { "emote" => "message", "encrypted" => "encrypted message", "voice" => "voice message", var kind => kind },
        null => null,
    };

    /// <summary>The word for it, or else its type: <c>event com.example.thing</c>, <c>state m.room.topic [""]</c>.</summary>
    public static string DescribeOrType(RoomEvent e) => Describe(e) ?? $"{(e.StateKey is null ? "event" : "state")} {LogLine.DescribeType(e)}";

    private static bool IsMessage(RoomEvent e) =>
        e.Type is "m.room.message" or "m.room.encrypted" or "m.sticker" or "m.poll.start" or "org.matrix.msc3381.poll.start"
        || ExtensibleLine.Kind(e.Type!) is not null;

    private static string DescribeMessage(RawJson content) => content["msgtype"u8].AsString() switch
    {
        "m.image" => "image",
        "m.file" => "file",
        "m.audio" when MessageLine.IsVoice(content) => "voice message",
        "m.audio" => "audio",
        "m.video" => "video",
        "m.location" => "location",
        "m.key.verification.request" => "verification request",
        _ => "message",
    };
}
