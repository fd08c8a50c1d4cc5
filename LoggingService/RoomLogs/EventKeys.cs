using LoggingService.Files;

namespace LoggingService.RoomLogs;

internal enum EventIdKind
{
    Event,
    Redaction,
    Edit,
}

/// <summary>The ids by which a record line is found: its event's, and that of the event that it redacts or edits, if any.</summary>
internal readonly record struct EventKeys(string EventId, EventIdKind Relation, string? Target)
{
    public string? this[EventIdKind kind] => kind == EventIdKind.Event ? EventId : kind == Relation ? Target : null;

    public static EventKeys Of(RoomEvent e) => Create(e.EventId, e.CanonicalType, e.Content, e.Json);

    /// <summary>Reads a line without its line break; <c>null</c> if it contains no event.</summary>
    public static EventKeys? Read(ReadOnlyMemory<byte> line)
    {
        // Not RoomEvent.FromRecord: the stub of an erased event has no room id.
        line = line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;
        return RawJson.TryParse(line, out var json, out _) && json["event_id"u8].AsString() is { Length: > 0 } id
            ? Create(id, json["type"u8].AsString(), json["content"u8], json)
            : null;
    }

    public static EventKeys? Read(string record, long offset)
    {
        using var file = Posix.OpenRead(record);
        var line = new byte[4096];
        for (var length = 0; ; Array.Resize(ref line, line.Length * 2))
        {
            length += RandomAccess.Read(file.SafeFileHandle, line.AsSpan(length), offset + length);
            var end = line.AsSpan(0, length).IndexOf((byte)'\n');
            if (end >= 0 || length < line.Length)
            {
                return Read(line.AsMemory(0, end >= 0 ? end : length));
            }
        }
    }

    private static EventKeys Create(string id, string? type, RawJson content, RawJson json)
    {
        if (type == "m.room.redaction")
        {
            // Room version 11 moved the key into content.
            var redacted = content["redacts"u8].AsString() is { Length: > 0 } target ? target : json["redacts"u8].AsString();
            return new(id, EventIdKind.Redaction, redacted);
        }

        var relation = content["m.relates_to"u8];
        return new(id, EventIdKind.Edit, relation["rel_type"u8].AsString() == "m.replace" ? relation["event_id"u8].AsString() : null);
    }
}
