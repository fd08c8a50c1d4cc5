using System.Text;
using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// An event as one line for people. What the service says stands in the head (<c>&lt;@alice:example.org, edit of
/// 19:20:11&gt;</c>) or in a line that begins with <c>*** </c>; what a person wrote comes after the head, or between
/// quotes with <c>"</c> and <c>\</c> escaped: so no words can look like a line of another kind.
/// </summary>
internal static class LogLine
{
    /// <summary>How many bytes of UTF-8 a line has at most, before the words that say how much was cut.</summary>
    public const int MaxBytes = 64 * 1024;

    // A day inside of what DateTimeOffset holds: no zone can push it over the edge.
    private static readonly DateTimeOffset Earliest = DateTimeOffset.MinValue.AddDays(1);
    private static readonly DateTimeOffset Latest = DateTimeOffset.MaxValue.AddDays(-1);

    /// <summary>
    /// The event's line, without the timestamp that it begins with. Content of a wrong type, and kinds that nobody wrote
    /// a sentence for, take the general form. Whatever <paramref name="history"/>'s functions throw comes through; nothing
    /// else is thrown on purpose, and a caller takes <see cref="RenderFallback"/> where something is.
    /// </summary>
    /// <param name="e">The event.</param>
    /// <param name="history">What the room's record says before it.</param>
    /// <param name="zone">The zone of the times that the line names.</param>
    /// <param name="receivedAt">When the event reached the service; <c>null</c> for an event from a record, which says so itself.</param>
    public static string Render(RoomEvent e, RoomHistory history, TimeZoneInfo zone, DateTimeOffset? receivedAt)
    {
        ArgumentNullException.ThrowIfNull(e);
        return Sentence(new(e, history, zone, Time(e, receivedAt, zone))) is { } sentence ? Truncate(sentence) : RenderFallback(e);
    }

    /// <summary>
    /// The moment that the event's line bears: its <c>origin_server_ts</c>, or where that is missing its arrival; clamped
    /// to what a date can hold. Never throws.
    /// </summary>
    /// <param name="e">The event.</param>
    /// <param name="receivedAt">When the event reached the service; <c>null</c> for an event from a record, which says so itself (where it doesn't: 1970).</param>
    /// <param name="zone">The zone that the moment is given in.</param>
    public static DateTimeOffset Time(RoomEvent e, DateTimeOffset? receivedAt, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(e);
        var milliseconds = e.OriginServerTs ?? receivedAt?.ToUnixTimeMilliseconds() ?? e.ReceivedTs ?? 0;
        var inRange = Math.Clamp(milliseconds, Earliest.ToUnixTimeMilliseconds(), Latest.ToUnixTimeMilliseconds());
        return TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(inRange), zone);
    }

    /// <summary>
    /// The general form, which any event has: <c>*** @x:example.org com.example.thing {"compact":"content"}</c>, for a
    /// state event with <c>["state key"]</c> after the type. Never throws.
    /// </summary>
    /// <param name="e">The event.</param>
    public static string RenderFallback(RoomEvent e)
    {
        ArgumentNullException.ThrowIfNull(e);
        var content = e.Content.Kind == JsonValueKind.Undefined ? "(no content)" : SafeText.Escape(e.Content.ToCompactString());
        return Truncate($"*** {SafeText.UserId(e.Sender)} {DescribeType(e)} {content}");
    }

    /// <summary>The event's type, for a state event with its state key: <c>m.room.topic [""]</c>.</summary>
    internal static string DescribeType(RoomEvent e)
    {
        var type = e.Type is null ? "(no type)" : SafeText.EventType(e.Type);
        return e.StateKey is null ? type : $"{type} [{SafeText.Quoted(e.StateKey)}]";
    }

    /// <summary>
    /// The table of kinds; <c>null</c> where the general form must do. Whether an event is a state event is decided by
    /// its state key, not by its type. (Client-Server API, "Types of room events".)
    /// </summary>
    private static string? Sentence(RenderContext context) => (context.Event.Type, context.Event.StateKey) switch
    {
        (_, null) when RemovedLine.Handles(context) => RemovedLine.Render(context),
        ("m.room.message" or "m.sticker", null) => MessageLine.Render(context),
        ("m.room.encrypted", null) => MessageLine.Encrypted(context),
        ("m.room.redaction", null) => RedactionLine.Render(context),
        ("m.reaction", null) => ReactionLine.Render(context),
        ("m.poll.start" or "org.matrix.msc3381.poll.start", null) => PollLine.Start(context),
        ("m.poll.response" or "org.matrix.msc3381.poll.response", null) => PollLine.Response(context),
        ("m.poll.end" or "org.matrix.msc3381.poll.end", null) => PollLine.End(context),
        ("m.beacon" or "org.matrix.msc3672.beacon" or "org.matrix.msc3489.beacon", null) => LiveLocationLine.Place(context),
        ("m.rtc.notification" or "org.matrix.msc4075.rtc.notification" or "m.call.notify" or "org.matrix.msc4075.call.notify", null) => RoomCallLine.Notification(context),
        ("m.rtc.decline" or "org.matrix.msc4310.rtc.decline", null) => RoomCallLine.Decline(context),
        ({ } type, null) when CallLine.Handles(type) => CallLine.Render(context),
        ({ } type, null) when type.StartsWith("m.key.verification.", StringComparison.Ordinal) => VerificationLine.Render(context),
        ({ } type, null) when ExtensibleLine.Kind(type) is not null => ExtensibleLine.Render(context),
        ("m.room.member", not null) => MembershipLine.Render(context),

        // Of these a redaction leaves a part.
        ("m.room.create", "") => RoomLifeLine.Create(context),
        ("m.room.join_rules", "") => RoomAccessLine.JoinRules(context),
        ("m.room.history_visibility", "") => RoomAccessLine.HistoryVisibility(context),
        ("m.room.power_levels", "") => PowerLevelsLine.Render(context),
        ("m.room.aliases", not null) when !context.HasEmptyContent => AliasLine.OfServer(context),

        // Of the others, nothing.
        (_, not null) when context.ArrivedRedacted => RoomStateLine.Removed(context),
        ("m.beacon_info" or "org.matrix.msc3672.beacon_info" or "org.matrix.msc3489.beacon_info", not null) => LiveLocationLine.Info(context),
        ("m.call.member" or "org.matrix.msc3401.call.member", not null) or ("m.rtc.member" or "org.matrix.msc4143.rtc.member", _) => RoomCallLine.Member(context),
        ("m.call" or "org.matrix.msc3401.call", not null) => RoomCallLine.Call(context),
        ("m.rtc.slot" or "org.matrix.msc4143.rtc.slot", not null) => RoomCallLine.Slot(context),
        ("m.room.aliases", not null) => AliasLine.OfServer(context),
        ("m.room.name", "") => RoomStateLine.Name(context),
        ("m.room.topic", "") => RoomStateLine.Topic(context),
        ("m.room.avatar", "") => RoomStateLine.Avatar(context),
        ("m.room.pinned_events", "") => RoomStateLine.PinnedEvents(context),
        ("m.room.canonical_alias", "") => AliasLine.Canonical(context),
        ("m.room.encryption", "") => RoomLifeLine.Encryption(context),
        ("m.room.tombstone", "") => RoomLifeLine.Tombstone(context),
        ("m.room.guest_access", "") => RoomAccessLine.GuestAccess(context),
        ("m.room.third_party_invite", not null) => RoomAccessLine.ThirdPartyInvite(context),
        ("m.room.server_acl", "") => ServerAclLine.Render(context),
        ("m.room.policy" or "org.matrix.msc4284.policy", "") => PolicyLine.Server(context),
        ("m.policy.rule.user" or "m.room.rule.user" or "org.matrix.mjolnir.rule.user", not null) => PolicyLine.Render(context, "user"),
        ("m.policy.rule.room" or "m.room.rule.room" or "org.matrix.mjolnir.rule.room", not null) => PolicyLine.Render(context, "room"),
        ("m.policy.rule.server" or "m.room.rule.server" or "org.matrix.mjolnir.rule.server", not null) => PolicyLine.Render(context, "server"),
        ("m.space.child", not null) => SpaceLine.Child(context),
        ("m.space.parent", not null) => SpaceLine.Parent(context),
        ("m.widget" or "im.vector.modular.widgets", not null) => RoomExtrasLine.Widget(context),
        ("m.room.image_pack" or "im.ponies.room_emotes", not null) => RoomExtrasLine.ImagePack(context),
        _ => null,
    };

    private static string Truncate(string line)
    {
        // One UTF-16 unit is three bytes at most: most lines needn't be counted.
        if (line.Length <= MaxBytes / 3 || Encoding.UTF8.GetByteCount(line) is var bytes && bytes <= MaxBytes)
        {
            return line;
        }

        var kept = 0;
        var length = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            if (kept + rune.Utf8SequenceLength > MaxBytes)
            {
                break;
            }

            kept += rune.Utf8SequenceLength;
            length += rune.Utf16SequenceLength;
        }

        // A joiner with nothing to join would be left of a cut emoji.
        var whole = line.AsSpan(0, length).TrimEnd('\u200D');
        return $"{whole}… ({bytes - Encoding.UTF8.GetByteCount(whole)} more bytes; see the record)";
    }
}
