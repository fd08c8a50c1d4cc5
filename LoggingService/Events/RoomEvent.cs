using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// One event of a room, as a homeserver pushed it or as a room's record has it: the fields that the service reads, and
/// the bytes. Only the event's id and its room's are certain; anything else may be missing or of a wrong type.
/// (Client-Server API, "Room event format"; the shape on the wire is ClientEvent.)
/// </summary>
internal sealed class RoomEvent
{
    private static readonly byte[][] Fields =
        [.. new[] { "room_id", "event_id", "type", "sender", "state_key", "content", "origin_server_ts", "unsigned" }.Select(Encoding.UTF8.GetBytes)];

    private RoomEvent(RawJson json, string eventId, string roomId, RawJson[] fields)
    {
        (Json, EventId, RoomId) = (json, eventId, roomId);
        (Type, Sender, StateKey) = (fields[2].AsString(), fields[3].AsString(), fields[4].AsString());
        (Content, OriginServerTs, Unsigned) = (fields[5], fields[6].AsInteger(), fields[7]);
    }

    /// <summary>The whole event.</summary>
    public RawJson Json { get; }

    /// <summary><c>event_id</c>, unique in its room; not empty.</summary>
    public string EventId { get; }

    /// <summary><c>room_id</c>; begins with <c>!</c>.</summary>
    public string RoomId { get; }

    /// <summary><c>type</c>, or <c>null</c> where it is no string.</summary>
    public string? Type { get; }

    /// <summary><c>sender</c>, a full user id, or <c>null</c> where it is no string.</summary>
    public string? Sender { get; }

    /// <summary><c>state_key</c>; <c>null</c> for an event that is no state event. The empty string is a state key like any other.</summary>
    public string? StateKey { get; }

    /// <summary><c>content</c>; anything, or missing.</summary>
    public RawJson Content { get; }

    /// <summary><c>origin_server_ts</c>: milliseconds since 1970 as the sending server claims; <c>null</c> where it is no number.</summary>
    public long? OriginServerTs { get; }

    /// <summary><c>unsigned</c>: what the homeserver adds; anything, or missing.</summary>
    public RawJson Unsigned { get; }

    /// <summary>What <see cref="WriteRecord"/> put in: milliseconds since 1970 when the event reached the service. <c>null</c> for an event that has not been recorded yet, or by something else.</summary>
    public long? ReceivedTs => Json["received_ts"u8].AsInteger();

    /// <summary>Takes a JSON value for an event if it can be logged: an object with an event id, and a room id that begins with <c>!</c>.</summary>
    /// <param name="json">Any JSON value.</param>
    /// <param name="roomEvent">The event.</param>
    /// <param name="reason">Why it can't be logged.</param>
    public static bool TryRead(RawJson json, [NotNullWhen(true)] out RoomEvent? roomEvent, [NotNullWhen(false)] out string? reason)
    {
        roomEvent = null;
        reason = null;
        var fields = json.GetValues(Fields);
        if (json.Kind != JsonValueKind.Object)
        {
            reason = "an event that is no JSON object";
        }
        else if (fields[0].AsString() is not { } roomId || !roomId.StartsWith('!'))
        {
            reason = "an event without a valid room id";
        }
        else if (fields[1].AsString() is not { Length: > 0 } eventId)
        {
            reason = "an event without an event id";
        }
        else
        {
            roomEvent = new(json, eventId, roomId, fields);
        }

        return roomEvent is not null;
    }

    /// <summary>Reads a line of a room's record.</summary>
    /// <param name="line">The line, without its line break.</param>
    /// <returns>The event, or <c>null</c> where the line holds none.</returns>
    public static RoomEvent? FromRecord(ReadOnlyMemory<byte> line) =>
        RawJson.TryParse(line, out var json, out _) && TryRead(json, out var roomEvent, out _) ? roomEvent : null;

    /// <summary>Reads only the event id of a line of a room's record.</summary>
    /// <param name="line">The line, without its line break.</param>
    /// <returns>The id, or <c>null</c> where the line holds none.</returns>
    public static string? GetEventId(ReadOnlyMemory<byte> line) =>
        RawJson.TryParse(line, out var json, out _) ? json["event_id"u8].AsString() : null;

    /// <summary>
    /// Writes the event's line of the record: the bytes as they were pushed, with <c>received_ts</c> put in as the last
    /// key (readers take the last of two equal keys, and a sender may have put in its own), and a line break.
    /// </summary>
    /// <param name="output">Where the line goes.</param>
    /// <param name="receivedAt">When the event reached the service.</param>
    public void WriteRecord(Stream output, DateTimeOffset receivedAt)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(receivedAt.ToUnixTimeMilliseconds(), digits, out var length);
        Json.WithoutClosingBrace().WriteSingleLine(output);
        output.Write(",\"received_ts\":"u8);
        output.Write(digits[..length]);
        output.Write("}\n"u8);
    }
}
