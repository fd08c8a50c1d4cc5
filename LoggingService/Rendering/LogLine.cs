using System.Text.Json;

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
    /// Appends the event's line as it is in a day's text, with its timestamp and line break. Unknown event types and content of
    /// the wrong type are rendered by <see cref="WriteFallback"/>; so should a caller, after truncating the buffer, if this
    /// throws, which it does only for a bug, or if <paramref name="history"/> does.
    /// </summary>
    /// <param name="zone">The zone of the timestamp and of the times within the line.</param>
    public static void Write(LineBuffer output, RoomEvent e, RoomHistory history, TimeZoneInfo zone)
    {
        var timestamp = Timestamp.Get(Milliseconds(e), zone);
        output.Append(timestamp.Text);
        var start = output.Length;
        var context = new RenderContext(output, e, history, zone, timestamp.Time);
        if (!WriteSentence(context))
        {
            output.Truncate(start);
            WriteContent(output, e, isHidden: RepeatsRemoved(context));
        }

        EndLine(output, start, e);
    }

    /// <summary>The line of a record's line that is not an event.</summary>
    public static ReadOnlySpan<byte> NoEvent => "1970-01-01 00:00:00 +00:00 *** (a line of the record that is no event)\n"u8;

    /// <summary>
    /// As <see cref="Write"/>, but the generic line: <c>*** @x:example.org com.example.thing {"compact":"content"}</c>; without the
    /// content where it may repeat an event that was removed, since there is no history to ask. Never throws.
    /// </summary>
    public static void WriteFallback(LineBuffer output, RoomEvent e, TimeZoneInfo zone)
    {
        output.Append(Timestamp.Get(Milliseconds(e), zone).Text);
        var start = output.Length;
        WriteContent(output, e, isHidden: MayRepeat(e));
        EndLine(output, start, e);
    }

    /// <summary>The line's timestamp: <c>origin_server_ts</c>, or else the arrival, clamped to a valid date. Never throws.</summary>
    public static DateTimeOffset Time(RoomEvent e, TimeZoneInfo zone) => TimeAt(Milliseconds(e), zone);

    /// <param name="milliseconds">Since 1970; clamped to a valid date.</param>
    public static DateTimeOffset TimeAt(long milliseconds, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, MinTime, MaxTime)), zone);

    /// <summary>The event's type as it was sent, for a state event with its state key: <c>m.room.topic [""]</c>.</summary>
    public static Phrase DescribeType(RoomEvent e)
    {
        Phrase type = e.TypeText is { } known ? SafeText.EventType(known) : "(no type)"u8;
        return e.StateKeyText is { } stateKey ? $"{type} [{SafeText.Quoted(stateKey)}]" : type;
    }

    private static long Milliseconds(RoomEvent e) => Math.Clamp(e.OriginServerTs ?? e.ReceivedTs ?? 0, MinTime, MaxTime);

    private static void WriteContent(LineBuffer output, RoomEvent e, bool isHidden)
    {
        output.Append("*** "u8);
        SafeText.UserId(e.SenderText).WriteTo(output);
        output.Append(" "u8);
        output.Append(DescribeType(e).Span);
        output.Append(" "u8);
        if (isHidden)
        {
            output.Append("(may repeat a removed event; see the record)"u8);
        }
        else if (e.Content.Kind == JsonValueKind.Undefined)
        {
            output.Append("(no content)"u8);
        }
        else
        {
            SafeText.Escape(e.Content.ToCompactText()).WriteTo(output);
        }
    }

    /// <summary>The content may contain the text of an earlier event: as its edit, as a reply, or as the end of a poll.</summary>
    private static bool MayRepeat(RoomEvent e) =>
        Relation.IsEdit(e) || Relation.IsReply(e.Content) || e.CanonicalType == "m.poll.end";

    private static bool RepeatsRemoved(RenderContext context) =>
        Reference.RepeatsRemoved(context, context.Event)
        || (context.Event.Content["m.relates_to"u8]["m.in_reply_to"u8]["event_id"u8].AsText() is { } repliedTo
            && (context.FindEvent(repliedTo) is { } target
                ? Reference.IsRemoved(context, target)
                : context.History.IsRemoved(repliedTo.ToString())));

    // The table of event types; false selects the fallback. The state key, not the type, decides whether an event is a state
    // event. (Client-Server API, "Types of room events".)
    private static bool WriteSentence(RenderContext context) => (context.Event.CanonicalType, context.Event.StateKey) switch
    {
        _ when context.Event.IsNote => NoteLine.Render(context),
        // Its redaction is in the record already.
        var (_, stateKey) when context.History.IsRemoved(context.Event.EventId) =>
            stateKey is null ? RemovedLine.Render(context) : RoomStateLine.Removed(context),
        (_, null) when RemovedLine.Handles(context) => RemovedLine.Render(context),
        (_, null) when NotLogged.IsStub(context.Event) => NotLoggedLine.Render(context),
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
        ("m.call.reaction", null) => RoomCallLine.Reaction(context),
        ("m.call.encryption_keys", null) => RoomCallLine.EncryptionKeys(context),
        ({ } type, null) when CallLine.Handles(type) => CallLine.Render(context),
        ({ } type, null) when VerificationLine.Handles(type) => VerificationLine.Render(context),
        ({ } type, null) when !ExtensibleLine.Kind(type).IsEmpty => ExtensibleLine.Render(context),
        ("m.room.member", not null) => MembershipLine.Render(context),

        // A redaction keeps a part of the content of these.
        ("m.room.create", "") => RoomLifeLine.Create(context),
        ("m.room.join_rules", "") => RoomAccessLine.JoinRules(context),
        ("m.room.history_visibility", "") => RoomAccessLine.HistoryVisibility(context),
        ("m.room.power_levels", "") => PowerLevelsLine.Render(context),
        ("m.room.aliases", not null) when !context.HasEmptyContent => AliasLine.OfServer(context),

        // A redaction keeps nothing of the others.
        (_, not null) when context.ArrivedRedacted => RoomStateLine.Removed(context),
        ("m.room.encrypted", not null) => RoomStateLine.Encrypted(context),
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
        ("m.policy.rule.user" or "m.policy.rule.room" or "m.policy.rule.server", not null) => PolicyLine.Rule(context),
        ("m.space.child", not null) => SpaceLine.Child(context),
        ("m.space.parent", not null) => SpaceLine.Parent(context),
        ("m.widget", not null) => RoomExtrasLine.Widget(context),
        ("m.room.image_pack", not null) => RoomExtrasLine.ImagePack(context),
        _ => false,
    };

    /// <summary><c>*** (soft-failed) @bob:example.org joined</c>; a message has it in its head.</summary>
    private static void WriteNotice(LineBuffer output, int start, Phrase notice)
    {
        var stars = "*** "u8;
        var sentence = output.Written[(start + stars.Length)..].ToArray();
        output.Truncate(start + stars.Length);
        output.Append("("u8);
        output.Append(notice.Span);
        output.Append(") "u8);
        output.Append(sentence);
    }

    /// <summary>Appends the line break to the line that starts there: after its notice, and truncated if it is too long.</summary>
    private static void EndLine(LineBuffer output, int start, RoomEvent e)
    {
        if (output.Written[start..].StartsWith("*** "u8) && RenderContext.NoticeOf(e) is { } notice)
        {
            WriteNotice(output, start, notice);
        }

        var length = output.Length - start;
        if (length > MaxBytes)
        {
            var line = output.Written[start..];
            var kept = MaxBytes;
            while ((line[kept] & 0xC0) == 0x80)
            {
                kept--;
            }

            // An emoji cut in two would leave a joiner with nothing to join.
            while (line[..kept].EndsWith("\u200D"u8))
            {
                kept -= "\u200D"u8.Length;
            }

            output.Truncate(start + kept);
            output.Append("… ("u8);
            output.AppendFormatted(length - kept);
            output.Append(" more bytes; see the record)"u8);
        }

        output.Append("\n"u8);
    }
}
