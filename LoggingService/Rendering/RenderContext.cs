using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>An event and everything else that its line is made from.</summary>
/// <param name="Event">The event.</param>
/// <param name="History">What the room's record says before it.</param>
/// <param name="Zone">The zone of the times that the line names.</param>
/// <param name="Time">The moment that the line bears (<see cref="LogLine.Time"/>).</param>
internal readonly record struct RenderContext(RoomEvent Event, RoomHistory History, TimeZoneInfo Zone, DateTimeOffset Time)
{
    /// <summary>The sender, as it stands in a head; <c>?</c> where there is none.</summary>
    public string Sender => SafeText.UserId(Event.Sender);

    /// <summary>The event's content had been taken out before it reached us. (Client-Server API, "Redactions".)</summary>
    public bool ArrivedRedacted
    {
        get
        {
            var unsigned = Event.Unsigned;
            return unsigned["redacted_because"u8].Kind == JsonValueKind.Object || unsigned["redacted_by"u8].Kind == JsonValueKind.String;
        }
    }

    /// <summary>The content has no keys: so a state that can't be deleted is taken back.</summary>
    public bool HasEmptyContent => Event.Content.IsEmptyObject;

    /// <summary>The state says what it said before, to the letter.</summary>
    public bool IsUnchanged => PreviousContent() is { Kind: JsonValueKind.Object } before && before.ToCompactString() == Event.Content.ToCompactString();

    /// <summary>What follows where redaction leaves a part of the content, and the line tells that part: says that there was more. (Client-Server API, "Redactions".)</summary>
    public string RedactedSuffix => ArrivedRedacted ? " (the rest was removed before it was logged)" : "";

    /// <summary>The state is the sender's own, by its state key: their user id, or <c>_@alice:example.org_DEVICE</c>. (MSC3757 for the longer ones.)</summary>
    public bool IsOwnState =>
        Event is { Sender: { Length: > 0 } sender, StateKey: { } key }
        && (key == sender || key.StartsWith($"{sender}_", StringComparison.Ordinal) || key.StartsWith($"_{sender}_", StringComparison.Ordinal));

    /// <summary>When an earlier event was: <c>19:20:11</c>, with its date where that isn't this line's.</summary>
    public string FormatTime(RoomEvent earlier)
    {
        var then = LogLine.Time(earlier, receivedAt: null, Zone);
        return then.Date == Time.Date ? $"{then:HH:mm:ss}" : $"{then:yyyy-MM-dd HH:mm:ss}";
    }

    /// <summary>
    /// The content of the state event that this one replaced: as the homeserver tells it, or else from the room's
    /// record; missing where none is known. Synapse leaves it out when it sends a transaction again, Dendrite always.
    /// What stands beside <c>unsigned</c> (Synapse repeats it there) comes last: a sender may have put it there.
    /// </summary>
    public RawJson PreviousContent()
    {
        var unsigned = Event.Unsigned;
        if (unsigned["prev_content"u8] is { Kind: JsonValueKind.Object } told)
        {
            return told;
        }

        var earlier = unsigned["replaces_state"u8].AsString() is { } replaced ? History.FindEvent(replaced) : History.FindState(Event.Type!, Event.StateKey!);

        // The id may name any event.
        if (earlier is not null && earlier.Type == Event.Type && earlier.StateKey == Event.StateKey && earlier.EventId != Event.EventId)
        {
            return earlier.Content;
        }

        return Event.Json["prev_content"u8] is { Kind: JsonValueKind.Object } repeated ? repeated : default;
    }
}
