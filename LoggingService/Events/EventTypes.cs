namespace LoggingService.Events;

/// <summary>
/// The unstable names of event types, from proposals (MSCs). The stable ones are written as in the specification. Keys of
/// content are out of its scope.
/// </summary>
internal static class EventTypes
{
    /// <summary>The stable name of a type; the type itself if it is none of the unstable names.</summary>
    public static string? Canonical(string? type) => type switch
    {
        "im.ponies.room_emotes" => "m.room.image_pack",
        "im.vector.modular.widgets" => "m.widget",
        "io.element.call.encryption_keys" => "m.call.encryption_keys",
        "io.element.call.reaction" => "m.call.reaction",
        "m.call.notify" or "org.matrix.msc4075.call.notify" or "org.matrix.msc4075.rtc.notification" => "m.rtc.notification",
        "m.room.rule.room" or "org.matrix.mjolnir.rule.room" => "m.policy.rule.room",
        "m.room.rule.server" or "org.matrix.mjolnir.rule.server" => "m.policy.rule.server",
        "m.room.rule.user" or "org.matrix.mjolnir.rule.user" => "m.policy.rule.user",
        "org.matrix.msc1767.audio" or "org.matrix.msc3927.audio" => "m.audio",
        "org.matrix.msc1767.emote" or "org.matrix.msc3954.emote" => "m.emote",
        "org.matrix.msc1767.encrypted" => "m.encrypted",
        "org.matrix.msc1767.file" or "org.matrix.msc3551.file" => "m.file",
        "org.matrix.msc1767.image" or "org.matrix.msc3552.image" => "m.image",
        "org.matrix.msc1767.message" => "m.message",
        "org.matrix.msc1767.video" or "org.matrix.msc3553.video" => "m.video",
        "org.matrix.msc3245.voice" or "org.matrix.msc3245.voice.v2" => "m.voice",
        "org.matrix.msc3381.poll.end" => "m.poll.end",
        "org.matrix.msc3381.poll.response" => "m.poll.response",
        "org.matrix.msc3381.poll.start" => "m.poll.start",
        "org.matrix.msc3401.call" => "m.call",
        "org.matrix.msc3401.call.member" => "m.call.member",
        "org.matrix.msc3488.location" => "m.location",
        "org.matrix.msc3489.beacon" or "org.matrix.msc3672.beacon" => "m.beacon",
        "org.matrix.msc3489.beacon_info" or "org.matrix.msc3672.beacon_info" => "m.beacon_info",
        "org.matrix.msc4143.rtc.member" => "m.rtc.member",
        "org.matrix.msc4143.rtc.slot" => "m.rtc.slot",
        "org.matrix.msc4284.policy" => "m.room.policy",
        "org.matrix.msc4310.rtc.decline" => "m.rtc.decline",
        _ => type,
    };
}
