using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>An event and everything else that its line is rendered from.</summary>
/// <param name="Output">Where the line is appended.</param>
/// <param name="Zone">The zone of the times within the line.</param>
/// <param name="Time">The line's timestamp (<see cref="LogLine.Time"/>).</param>
internal readonly record struct RenderContext(
    LineBuffer Output, RoomEvent Event, RoomHistory History, TimeZoneInfo Zone, DateTimeOffset Time)
{
    // Synapse's, for application services and admins.
    private static ReadOnlySpan<byte> NoticePrefix => "io.element.synapse."u8;

    /// <summary>The sender as shown in a head; <c>?</c> if there is none.</summary>
    public SafeText Sender => SafeText.UserId(Event.SenderText);

    /// <summary>The state key of a state event.</summary>
    public Utf8Text StateKey => Event.StateKeyText ?? default;

    /// <summary>The event was redacted before it reached the service. (Client-Server API, "Redactions".)</summary>
    public bool ArrivedRedacted => RemovedLine.ArrivedRedacted(Event);

    /// <summary>As <see cref="NoticeOf"/>, of this event.</summary>
    public Phrase? Notice => NoticeOf(Event);

    /// <summary>The notice as the part of a head that follows the sender; <c>null</c> for nearly all.</summary>
    public Phrase? NoticePart => Notice is { } notice ? $", {notice}" : Phrase.None;

    /// <summary>Appended to lines that show the part of the content that a redaction keeps.</summary>
    public ReadOnlySpan<byte> RedactedSuffix =>
        !ArrivedRedacted ? ""u8
        : ErasedEvent.IsStub(Event) ? " (the rest was erased)"u8
        : " (the rest was removed before it was logged)"u8;

    /// <summary>The content has no keys, which is how state that can't be deleted is revoked.</summary>
    public bool HasEmptyContent => Event.Content.IsEmptyObject;

    /// <summary>The state event repeats the content that it replaced.</summary>
    public bool IsUnchanged =>
        PreviousContent() is { Kind: JsonValueKind.Object } previous && previous.ToCompactText() == Event.Content.ToCompactText();

    public ReadOnlySpan<byte> AgainSuffix => IsUnchanged ? " again (nothing changed)"u8 : ""u8;

    /// <summary>The state key is the sender's user id, or <c>_@alice:example.org_DEVICE</c>. (MSC3757 for the longer ones.)</summary>
    public bool IsOwnState => Event is { Sender: { Length: > 0 } sender, StateKey: { } key }
        && (key == sender
            || key.StartsWith($"{sender}_", StringComparison.Ordinal)
            || key.StartsWith($"_{sender}_", StringComparison.Ordinal));

    /// <summary>What the homeserver says about an event: that it has soft-failed, or is spam; <c>null</c> for nearly all.</summary>
    public static Phrase? NoticeOf(RoomEvent e)
    {
        var unsigned = e.Unsigned;
        if (unsigned.Bytes.Length < NoticePrefix.Length || unsigned.Bytes.Span.IndexOf(NoticePrefix) < 0)
        {
            return null;
        }

        var hasSoftFailed = unsigned["io.element.synapse.soft_failed"u8].AsBoolean() == true;
        var isSpam = unsigned["io.element.synapse.policy_server_spammy"u8].AsBoolean() == true;
        return (hasSoftFailed, isSpam) switch
        {
            (true, true) => "soft-failed, marked as spam"u8,
            (true, false) => "soft-failed"u8,
            (false, true) => "marked as spam"u8,
            _ => Phrase.None,
        };
    }

    /// <summary>Appends the line, and returns true.</summary>
    public bool Write(Phrase line)
    {
        Output.Append(line.Span);
        return true;
    }

    /// <summary>The line <c>*** sender sentence</c>; false if the content has a value of the wrong type or no description.</summary>
    public bool Sentence(Func<RawJson, TypeCheck, Phrase?> describe) =>
        TypeCheck.Read(Event.Content, describe) is { } sentence && Write($"*** {Sender} {sentence}{RedactedSuffix}");

    /// <summary>As <see cref="Sentence"/>, from the content and the content that it replaced (<c>null</c> if unknown).</summary>
    public bool ChangeSentence<T>(Func<RawJson, TypeCheck, T?> read, Func<T, T?, Phrase> describe) where T : class =>
        TypeCheck.Read(Event.Content, read) is { } current
        && Write($"*** {Sender} {describe(current, TypeCheck.Read(PreviousContent(), read))}{RedactedSuffix}");

    public RoomEvent? FindEvent(Utf8Text id) => History.FindEvent(id.ToString());

    /// <summary>The time of an earlier event: <c>19:20:11</c>, with its date if that differs from this line's.</summary>
    public Phrase FormatTime(RoomEvent earlier) => FormatTime(LogLine.Time(earlier, Zone));

    /// <summary>As above, of milliseconds since 1970.</summary>
    public Phrase FormatTime(long milliseconds) => FormatTime(LogLine.TimeAt(milliseconds, Zone));

    private Phrase FormatTime(DateTimeOffset time)
    {
        Phrase clock = $"{time:HH:mm:ss}";
        return time.Date == Time.Date ? clock : $"{time:yyyy-MM-dd} {clock}";
    }

    /// <summary>
    /// The content of the state event that this one replaced, from the homeserver or else from the room's record; missing
    /// if unknown or removed. Synapse omits it when it resends a transaction, Dendrite always. The copy outside of <c>unsigned</c>,
    /// which Synapse adds, is used last: the sender may have set it. If the homeserver does not name the replaced event, the newest one
    /// of the record decides whether the content is shown; it is, if there is none.
    /// </summary>
    public RawJson PreviousContent()
    {
        var unsigned = Event.Unsigned;
        var previous = unsigned["prev_content"u8];
        var isSent = previous.Kind == JsonValueKind.Object;
        var id = unsigned["replaces_state"u8].AsString();
        if (id is not null && History.IsRemoved(id))
        {
            return RedactedContent(isSent ? previous : History.FindEvent(id)?.Content ?? default);
        }

        // As Synapse sends it: only where the sender's events were removed, the place of the replaced one matters.
        var sender = unsigned["prev_sender"u8].AsString();
        var isSenderRemoved = sender is not null && History.IsRemoved(sender);
        if (isSent && id is not null && sender is not null && !isSenderRemoved)
        {
            return previous;
        }

        // The id may refer to any event.
        var replaced = id is not null ? History.FindEvent(id) : History.FindState(Event.Type!, Event.StateKey!);
        if (replaced is not null && replaced.Type == Event.Type && replaced.StateKey == Event.StateKey && replaced.EventId != Event.EventId)
        {
            var content = isSent ? previous : replaced.Content;
            return Reference.IsRedacted(this, replaced) ? RedactedContent(content) : content;
        }

        var sent = isSent ? previous : Event.Json["prev_content"u8];
        return sent.Kind != JsonValueKind.Object ? default : isSenderRemoved ? RedactedContent(sent) : sent;
    }

    /// <summary>What this line needs of the part of a content that a redaction keeps: the membership.</summary>
    private RawJson RedactedContent(RawJson content)
    {
        var membership = content["membership"u8];
        return Event.Type == "m.room.member" && membership.Kind == JsonValueKind.String
            ? new(new([.. "{\"membership\":"u8, .. membership.Bytes.Span, (byte)'}']))
            : default;
    }
}
