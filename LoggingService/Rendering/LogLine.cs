using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace LoggingService.Rendering;

/// <summary>
/// Renders an event as one line. The service's own text is in the head (<c>&lt;@alice:example.org, edit of 19:20:11&gt;</c>)
/// or in a line that starts with <c>*** </c>; the sender's text follows the head, or is quoted with <c>"</c> and <c>\</c>
/// escaped. So no message can imitate a line of another kind.
/// </summary>
internal static class LogLine
{
    /// <summary>The maximum length of a line in bytes of UTF-8, without the note about its truncation.</summary>
    public const int MaxBytes = 64 * 1024;

    // A day within the range of DateTimeOffset, so that no time zone can exceed it.
    private static readonly long MinTime = DateTimeOffset.MinValue.AddDays(1).ToUnixTimeMilliseconds();
    private static readonly long MaxTime = DateTimeOffset.MaxValue.AddDays(-1).ToUnixTimeMilliseconds();

    /// <summary>
    /// The event's line without its timestamp. Unknown event types and content of the wrong type are rendered by
    /// <see cref="RenderFallback"/>; so should a caller if this throws, which it does only for a bug, or if
    /// <paramref name="history"/> does.
    /// </summary>
    /// <param name="zone">The zone of the times within the line.</param>
    /// <param name="receivedAt">As for <see cref="Time"/>.</param>
    public static string Render(RoomEvent e, RoomHistory history, TimeZoneInfo zone, DateTimeOffset? receivedAt) =>
        Sentence(new(e, history, zone, Time(e, receivedAt, zone))) is { } sentence ? Truncate(sentence) : RenderFallback(e);

    /// <summary>The line's timestamp: <c>origin_server_ts</c>, or else the arrival, clamped to a valid date. Never throws.</summary>
    /// <param name="receivedAt"><c>null</c> for an event from a record, which contains the time of arrival (or else: 1970).</param>
    public static DateTimeOffset Time(RoomEvent e, DateTimeOffset? receivedAt, TimeZoneInfo zone)
    {
        var milliseconds = e.OriginServerTs ?? receivedAt?.ToUnixTimeMilliseconds() ?? e.ReceivedTs ?? 0;
        return TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, MinTime, MaxTime)), zone);
    }

    /// <summary>The generic line of any event: <c>*** @x:example.org com.example.thing {"compact":"content"}</c>. Never throws.</summary>
    public static string RenderFallback(RoomEvent e)
    {
        var content = e.Content.Kind == JsonValueKind.Undefined ? "(no content)" : SafeText.Escape(e.Content.ToCompactString());
        return Truncate($"*** {SafeText.UserId(e.Sender)} {DescribeType(e)} {content}");
    }

    /// <summary>The event's type as it was sent, for a state event with its state key: <c>m.room.topic [""]</c>.</summary>
    public static string DescribeType(RoomEvent e)
    {
        var type = e.Type is null ? "(no type)" : SafeText.EventType(e.Type);
        return e.StateKey is null ? type : $"{type} [{SafeText.Quoted(e.StateKey)}]";
    }

    // The table of event types; null selects the fallback. The state key, not the type, decides whether an event is a state
    // event. (Client-Server API, "Types of room events".)
    private static string? Sentence(RenderContext context) => (context.Event.CanonicalType, context.Event.StateKey) switch
    {
        (_, null) when RemovedLine.Handles(context) => RemovedLine.Render(context),
        ("m.room.message" or "m.sticker", null) => MessageLine.Render(context),
        ("m.room.encrypted", null) => MessageLine.Encrypted(context),
        ("m.room.redaction", null) => RedactionLine.Render(context),
        ("m.reaction", null) => ReactionLine.Render(context),
        ("m.poll.start", null) => PollLine.Start(context),
        ("m.poll.response", null) => PollLine.Response(context),
        ("m.poll.end", null) => PollLine.End(context),
        ("m.beacon", null) => LiveLocationLine.Location(context),
        ("m.rtc.notification", null) => RoomCallLine.Notification(context),
        ("m.rtc.decline", null) => RoomCallLine.Decline(context),
        ({ } type, null) when CallLine.Handles(type) => CallLine.Render(context),
        ({ } type, null) when VerificationLine.Handles(type) => VerificationLine.Render(context),
        ({ } type, null) when ExtensibleLine.Kind(type) is { } kind => ExtensibleLine.Render(context, kind),
        ("m.room.member", not null) => MembershipLine.Render(context),

        // A redaction keeps a part of the content of these.
        ("m.room.create", "") => RoomLifeLine.Create(context),
        ("m.room.join_rules", "") => RoomAccessLine.JoinRules(context),
        ("m.room.history_visibility", "") => RoomAccessLine.HistoryVisibility(context),
        ("m.room.power_levels", "") => PowerLevelsLine.Render(context),
        ("m.room.aliases", not null) when !context.HasEmptyContent => AliasLine.OfServer(context),

        // A redaction keeps nothing of the others.
        (_, not null) when context.ArrivedRedacted => RoomStateLine.Removed(context),
        ("m.beacon_info", not null) => LiveLocationLine.Info(context),
        ("m.call.member", not null) or ("m.rtc.member", _) => RoomCallLine.Member(context),
        ("m.call", not null) => RoomCallLine.Call(context),
        ("m.rtc.slot", not null) => RoomCallLine.Slot(context),
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
        ("m.room.policy", "") => PolicyLine.Server(context),
        ("m.policy.rule.user", not null) => PolicyLine.Rule(context, "user"),
        ("m.policy.rule.room", not null) => PolicyLine.Rule(context, "room"),
        ("m.policy.rule.server", not null) => PolicyLine.Rule(context, "server"),
        ("m.space.child", not null) => SpaceLine.Child(context),
        ("m.space.parent", not null) => SpaceLine.Parent(context),
        ("m.widget", not null) => RoomExtrasLine.Widget(context),
        ("m.room.image_pack", not null) => RoomExtrasLine.ImagePack(context),
        _ => null,
    };

    private static string Truncate(string line)
    {
        // A UTF-16 unit is at most three bytes of UTF-8, so most lines need no exact count.
        var bytes = line.Length <= MaxBytes / 3 ? 0 : Encoding.UTF8.GetByteCount(line);
        if (bytes <= MaxBytes)
        {
            return line;
        }

        Utf8.FromUtf16(line, new byte[MaxBytes], out var length, out _);

        // An emoji cut in two would leave a joiner with nothing to join.
        var kept = line.AsSpan(0, length).TrimEnd('\u200D');
        return $"{kept}… ({bytes - Encoding.UTF8.GetByteCount(kept)} more bytes; see the record)";
    }
}
