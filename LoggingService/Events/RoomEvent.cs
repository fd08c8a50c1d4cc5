using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace LoggingService.Events;

/// <summary>
/// One room event, as pushed by a homeserver or read from a room's record: the fields that the service uses, and the bytes.
/// Only the event id and the room id are guaranteed; any other field may be missing or of the wrong type.
/// (Client-Server API, "Room event format": ClientEvent.)
/// </summary>
internal sealed class RoomEvent
{
    private static readonly (byte[] Name, Action<RoomEvent, RawJson> Set)[] Fields =
    [
        ("room_id"u8.ToArray(), static (e, value) => e.RoomId = value.AsString() ?? ""),
        ("event_id"u8.ToArray(), static (e, value) => e.EventId = value.AsString() ?? ""),
        ("type"u8.ToArray(), static (e, value) => e.Type = value.AsString()),
        ("sender"u8.ToArray(), static (e, value) => e.Sender = value.AsString()),
        ("state_key"u8.ToArray(), static (e, value) => e.StateKey = value.AsString()),
        ("content"u8.ToArray(), static (e, value) => e.Content = value),
        ("origin_server_ts"u8.ToArray(), static (e, value) => e.OriginServerTs = value.AsInteger()),
        ("unsigned"u8.ToArray(), static (e, value) => e.Unsigned = value),
    ];

    private RoomEvent(RawJson json)
    {
        Json = json;
        for (var cursor = new JsonCursor(json.Bytes.Span); cursor.MoveNext();)
        {
            var name = cursor.ReadName();
            var value = json.Slice(cursor.ReadValue());
            foreach (var field in Fields)
            {
                if (JsonString.AreEqual(name, field.Name))
                {
                    field.Set(this, value);
                    break;
                }
            }
        }

        CanonicalType = EventTypes.Canonical(Type);
    }

    public RawJson Json { get; }

    /// <summary>Not empty.</summary>
    public string EventId { get; private set; } = "";

    /// <summary>Starts with <c>!</c>.</summary>
    public string RoomId { get; private set; } = "";

    public string? Type { get; private set; }

    /// <summary>The type, by its stable name if the event was sent under an unstable one (<see cref="EventTypes"/>).</summary>
    public string? CanonicalType { get; }

    public string? Sender { get; private set; }

    /// <summary><c>null</c> if this is not a state event; the empty string is a state key like any other.</summary>
    public string? StateKey { get; private set; }

    public RawJson Content { get; private set; }

    /// <summary>Milliseconds since 1970, as claimed by the sending server.</summary>
    public long? OriginServerTs { get; private set; }

    /// <summary>What the homeserver added.</summary>
    public RawJson Unsigned { get; private set; }

    /// <summary>When the event reached the service, in milliseconds since 1970; <c>null</c> if the event is not from a record.</summary>
    public long? ReceivedTs => Json["received_ts"u8].AsInteger();

    /// <summary>Reads an event that can be logged: an object with an event id, and a room id that starts with <c>!</c>.</summary>
    public static bool TryRead(RawJson json, [NotNullWhen(true)] out RoomEvent? roomEvent, [NotNullWhen(false)] out string? reason)
    {
        roomEvent = json.Kind == JsonValueKind.Object ? new(json) : null;
        reason = roomEvent switch
        {
            null => "an event that is not a JSON object",
            { } e when !e.RoomId.StartsWith('!') => "an event without a valid room id",
            { EventId: "" } => "an event without an event id",
            _ => null,
        };
        roomEvent = reason is null ? roomEvent : null;
        return roomEvent is not null;
    }

    /// <summary>Reads a line of a record, without its line break; <c>null</c> if it contains no event.</summary>
    public static RoomEvent? FromRecord(ReadOnlyMemory<byte> line) =>
        RawJson.TryParse(line, out var json, out _) && TryRead(json, out var roomEvent, out _) ? roomEvent : null;

    /// <summary>Reads only the event id of a line of a record, without its line break; <c>null</c> if it contains none.</summary>
    public static string? GetEventId(ReadOnlyMemory<byte> line) =>
        RawJson.TryParse(line, out var json, out _) ? json["event_id"u8].AsString() : null;

    /// <summary>
    /// Writes the event's line of the record: the bytes as pushed, with <c>received_ts</c> appended as the last key
    /// (readers use the last of two equal keys, and the sender may have set its own), and a line break.
    /// </summary>
    public void WriteRecord(Stream output, DateTimeOffset receivedAt)
    {
        Span<byte> end = stackalloc byte[48];
        Utf8.TryWrite(end, $",\"received_ts\":{receivedAt.ToUnixTimeMilliseconds()}}}\n", out var length);
        Json.WriteOpenObject(output);
        output.Write(end[..length]);
    }
}
