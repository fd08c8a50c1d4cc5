namespace LoggingService.Events;

/// <summary>The event types that the service knows, by their stable names, and the unstable names of proposals (MSCs) for them.</summary>
internal static class EventTypes
{
    // Client-Server API, "Room Events" and modules.
    public const string RoomAliases = "m.room.aliases";
    public const string RoomAvatar = "m.room.avatar";
    public const string RoomCanonicalAlias = "m.room.canonical_alias";
    public const string RoomCreate = "m.room.create";
    public const string RoomEncrypted = "m.room.encrypted";
    public const string RoomEncryption = "m.room.encryption";
    public const string RoomGuestAccess = "m.room.guest_access";
    public const string RoomHistoryVisibility = "m.room.history_visibility";
    public const string RoomJoinRules = "m.room.join_rules";
    public const string RoomMember = "m.room.member";
    public const string RoomMessage = "m.room.message";
    public const string RoomName = "m.room.name";
    public const string RoomPinnedEvents = "m.room.pinned_events";
    public const string RoomPolicy = "m.room.policy";
    public const string RoomPowerLevels = "m.room.power_levels";
    public const string RoomRedaction = "m.room.redaction";
    public const string RoomServerAcl = "m.room.server_acl";
    public const string RoomThirdPartyInvite = "m.room.third_party_invite";
    public const string RoomTombstone = "m.room.tombstone";
    public const string RoomTopic = "m.room.topic";
    public const string CallInvite = "m.call.invite";
    public const string PolicyRuleRoom = "m.policy.rule.room";
    public const string PolicyRuleServer = "m.policy.rule.server";
    public const string PolicyRuleUser = "m.policy.rule.user";
    public const string Reaction = "m.reaction";
    public const string SpaceChild = "m.space.child";
    public const string SpaceParent = "m.space.parent";
    public const string Sticker = "m.sticker";

    // Proposals.
    public const string Beacon = "m.beacon";
    public const string BeaconInfo = "m.beacon_info";
    public const string Call = "m.call";
    public const string CallMember = "m.call.member";
    public const string ImagePack = "m.room.image_pack";
    public const string PollEnd = "m.poll.end";
    public const string PollResponse = "m.poll.response";
    public const string PollStart = "m.poll.start";
    public const string RtcDecline = "m.rtc.decline";
    public const string RtcMember = "m.rtc.member";
    public const string RtcNotification = "m.rtc.notification";
    public const string RtcSlot = "m.rtc.slot";
    public const string Widget = "m.widget";

    // Extensible messages (MSC1767).
    public const string Audio = "m.audio";
    public const string Emote = "m.emote";
    public const string Encrypted = "m.encrypted";
    public const string File = "m.file";
    public const string Image = "m.image";
    public const string Location = "m.location";
    public const string Message = "m.message";
    public const string Video = "m.video";
    public const string Voice = "m.voice";

    /// <summary>The stable name of a type; the type itself if it is none of the unstable names.</summary>
    public static string? Canonical(string? type) => type switch
    {
        "im.ponies.room_emotes" => ImagePack,
        "im.vector.modular.widgets" => Widget,
        "m.call.notify" or "org.matrix.msc4075.call.notify" or "org.matrix.msc4075.rtc.notification" => RtcNotification,
        "m.room.rule.room" or "org.matrix.mjolnir.rule.room" => PolicyRuleRoom,
        "m.room.rule.server" or "org.matrix.mjolnir.rule.server" => PolicyRuleServer,
        "m.room.rule.user" or "org.matrix.mjolnir.rule.user" => PolicyRuleUser,
        "org.matrix.msc1767.audio" or "org.matrix.msc3927.audio" => Audio,
        "org.matrix.msc1767.emote" or "org.matrix.msc3954.emote" => Emote,
        "org.matrix.msc1767.encrypted" => Encrypted,
        "org.matrix.msc1767.file" or "org.matrix.msc3551.file" => File,
        "org.matrix.msc1767.image" or "org.matrix.msc3552.image" => Image,
        "org.matrix.msc1767.message" => Message,
        "org.matrix.msc1767.video" or "org.matrix.msc3553.video" => Video,
        "org.matrix.msc3245.voice" or "org.matrix.msc3245.voice.v2" => Voice,
        "org.matrix.msc3381.poll.end" => PollEnd,
        "org.matrix.msc3381.poll.response" => PollResponse,
        "org.matrix.msc3381.poll.start" => PollStart,
        "org.matrix.msc3401.call" => Call,
        "org.matrix.msc3401.call.member" => CallMember,
        "org.matrix.msc3488.location" => Location,
        "org.matrix.msc3489.beacon" or "org.matrix.msc3672.beacon" => Beacon,
        "org.matrix.msc3489.beacon_info" or "org.matrix.msc3672.beacon_info" => BeaconInfo,
        "org.matrix.msc4143.rtc.member" => RtcMember,
        "org.matrix.msc4143.rtc.slot" => RtcSlot,
        "org.matrix.msc4284.policy" => RoomPolicy,
        "org.matrix.msc4310.rtc.decline" => RtcDecline,
        _ => type,
    };
}
