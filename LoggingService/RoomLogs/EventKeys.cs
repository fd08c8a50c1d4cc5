using LoggingService.Files;

namespace LoggingService.RoomLogs;

internal enum EventIdKind
{
    Event,
    Redaction,
    Edit,
    State,
}

/// <summary>
/// The keys by which a record line is found: its event's id, the id of what it redacts or edits, if any, and the type and key of state.
/// </summary>
internal readonly record struct EventKeys(string EventId, EventIdKind Relation, string? Target, string? State)
{
    public string? this[EventIdKind kind] => kind switch
    {
        EventIdKind.Event => EventId,
        EventIdKind.State => State,
        _ => kind == Relation ? Target : null,
    };

    public static EventKeys Of(RoomEvent e) => Create(e.EventId, e.Type, e.StateKey, e.Content, e.Json);

    /// <summary>The key of a state event.</summary>
    public static string StateOf(string? type, string stateKey) => $"{type}\0{stateKey}";

    /// <summary>Reads a line without its line break; <c>null</c> if it contains no event.</summary>
    public static EventKeys? Read(ReadOnlyMemory<byte> line)
    {
        // Not RoomEvent.FromRecord: the stub of an erased event has no room id.
        line = line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;
        return RawJson.TryParse(line, out var json, out _) && json["event_id"u8].AsString() is { Length: > 0 } id
            ? Create(id, json["type"u8].AsString(), json["state_key"u8].AsString(), json["content"u8], json)
            : null;
    }

    public static EventKeys? Read(string record, long offset)
    {
        using var file = DayFile.Open(record);
        return Read(RecordReader.LineAt(file.ReadAt, offset));
    }

    /// <summary>The key of the edits of an event. Only its sender's can be valid, so that of others they hide none.</summary>
    public static string EditKey(string eventId, string? sender) => sender is null ? eventId : $"{eventId} {sender}";

    /// <summary>A membership with which all earlier events of the user are removed. (MSC4293, also by its unstable name.)</summary>
    public static bool RedactsUser(RawJson content) =>
        (content["redact_events"u8].AsBoolean() ?? content["org.matrix.msc4293.redact_events"u8].AsBoolean()) == true
        && content["membership"u8].AsString() is "ban" or "leave";

    private static EventKeys Create(string id, string? type, string? stateKey, RawJson content, RawJson json)
    {
        var state = stateKey is null ? null : StateOf(type, stateKey);
        switch (type)
        {
            case "m.room.redaction":
                return new(id, EventIdKind.Redaction, RedactionTarget.Read(json)?.ToString() is ['$', ..] target ? target : null, state);

            // A ban that removes all earlier messages of the user is found by the user's id, which no redaction can have as its target.
            case "m.room.member" when RedactsUser(content) && stateKey is ['@', ..] user:
                return new(id, EventIdKind.Redaction, user == json["sender"u8].AsString() ? null : user, state);
        }

        var relation = content["m.relates_to"u8];
        var edited = relation["rel_type"u8].AsString() == "m.replace" ? relation["event_id"u8].AsString() : null;
        return new(id, EventIdKind.Edit, edited is null ? null : EditKey(edited, json["sender"u8].AsString()), state);
    }
}
