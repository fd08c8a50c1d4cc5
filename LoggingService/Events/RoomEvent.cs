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
    private readonly EventParts _parts;

    // Decoded when they are first read.
    private string? _eventId;
    private string? _type;
    private string? _canonicalType;
    private string? _sender;
    private string? _stateKey;

    private RoomEvent(RawJson json, in EventParts parts, string roomId)
    {
        Json = json;
        _parts = parts;
        RoomId = roomId;
    }

    public RawJson Json { get; }

    /// <summary>A line of the service itself (<see cref="Note"/>), which nothing that is pushed can be.</summary>
    public bool IsNote { get; private init; }

    /// <summary>Not empty.</summary>
    public string EventId => _eventId ??= Json.Slice(_parts.EventId).AsString()!;

    /// <summary>Starts with <c>!</c>.</summary>
    public string RoomId { get; }

    public string? Type => _type ??= Json.Slice(_parts.Type).AsSharedString();

    /// <summary>The type, by its stable name if the event was sent under an unstable one (<see cref="EventTypes"/>).</summary>
    public string? CanonicalType => _canonicalType ??= EventTypes.Canonical(Type);

    public string? Sender => _sender ??= Json.Slice(_parts.Sender).AsSharedString();

    /// <summary><c>null</c> if this is not a state event; the empty string is a state key like any other.</summary>
    public string? StateKey => _stateKey ??= Json.Slice(_parts.StateKey).AsString();

    public RawJson Content => new(Json.Bytes[_parts.Content], _parts.ContentMembers);

    /// <summary>Milliseconds since 1970, as claimed by the sending server.</summary>
    public long? OriginServerTs => Json.Slice(_parts.OriginServerTs).AsInteger();

    /// <summary>What the homeserver added.</summary>
    public RawJson Unsigned => Json.Slice(_parts.Unsigned);

    /// <summary>
    /// When the event reached the service, in milliseconds since 1970: read from a record, or set from its entry in the journal.
    /// </summary>
    public long? ReceivedTs
    {
        get => field ?? Json.Slice(_parts.ReceivedTs).AsInteger();
        set;
    }

    /// <summary>
    /// When the service fetched the event from the homeserver, in milliseconds since 1970: read from the end of a record line, or set from
    /// its entry in the journal; <c>null</c> for an event that was pushed, whatever its JSON says.
    /// </summary>
    public long? FetchedTs { get; set; }

    /// <summary>
    /// Of the stub of an erased event: the redaction that caused it, empty if there is none. Read from the end of a record line, or set
    /// from its entry in the journal; <c>null</c> for all other events, whatever their JSON says.
    /// </summary>
    public string? ErasedBy { get; set; }

    /// <summary>
    /// Reads a value, from its first token to its last. It can be logged if it is an object with an event id, and a room id that
    /// starts with <c>!</c>; otherwise it is unloggable, and the event is <c>null</c>.
    /// </summary>
    public static RoomEvent? Read(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json, out Unloggable unloggable)
    {
        unloggable = default;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            unloggable = new("an event that is not a JSON object", RawJson.Read(ref reader, json).Bytes, IsJson: true);
            return null;
        }

        var start = (int)reader.TokenStartIndex;
        var parts = EventParts.Read(ref reader);
        var value = new RawJson(json[start..(int)reader.BytesConsumed]);
        if (value.Slice(parts.RoomId).AsSharedString() is not ['!', ..] roomId)
        {
            unloggable = new("an event without a valid room id", value.Bytes, IsJson: true);
            return null;
        }

        var eventId = value.Slice(parts.EventId);
        if (eventId.Kind != JsonValueKind.String || eventId.Bytes.Length == "\"\"".Length)
        {
            unloggable = new("an event without an event id", value.Bytes, IsJson: true);
            return null;
        }

        return new(value, parts, roomId);
    }

    /// <summary>Reads a line of a record, without its line break; <c>null</c> if it contains no event.</summary>
    public static RoomEvent? FromRecord(ReadOnlyMemory<byte> line)
    {
        var e = FromJournal(line, Note.IsRecord(line.Span));
        e?.FetchedTs = RecordLine.ReadFetchedTs(line.Span);
        e?.ErasedBy = RecordLine.ReadErasedBy(line.Span);
        return e;
    }

    /// <summary>Reads the JSON of a journal entry, whose kind says whether it is a note; <c>null</c> if it contains no event.</summary>
    public static RoomEvent? FromJournal(ReadOnlyMemory<byte> json, bool isNote)
    {
        if (!RawJson.TryParse(json, Read, out var e, out _) || e is null)
        {
            return null;
        }

        return isNote ? new(e.Json, e._parts, e.RoomId) { IsNote = true } : e;
    }

    /// <summary>The sender as UTF-8.</summary>
    public Utf8Text? SenderText => Json.Slice(_parts.Sender).AsText();

    public Utf8Text? TypeText => Json.Slice(_parts.Type).AsText();

    public Utf8Text? StateKeyText => Json.Slice(_parts.StateKey).AsText();

    /// <summary>The event with bytes of its own, which keep no larger array in memory.</summary>
    public RoomEvent Copy() => new(new(Json.Bytes.ToArray()), _parts, RoomId)
    {
        IsNote = IsNote,
        ReceivedTs = ReceivedTs,
        FetchedTs = FetchedTs,
        ErasedBy = ErasedBy,
    };

    /// <summary>
    /// Writes the event's line of the record: the bytes as pushed, with <c>received_ts</c> appended as the last key
    /// (readers use the last of two equal keys, and the sender may have set its own), before it <c>fetched_ts</c> if the event was fetched,
    /// for a note also <c>note</c>, for a stub also <c>erased</c>, and a line break.
    /// </summary>
    public void WriteRecord(Stream output)
    {
        Span<byte> end = stackalloc byte[64];
        Utf8.TryWrite(end, $",\"received_ts\":{ReceivedTs ?? 0}{(IsNote ? ",\"note\":true" : "")}}}\n", out var length);
        Json.WriteOpenObject(output);
        RecordLine.WriteFetchedTs(output, FetchedTs, Json.Bytes.Span);
        if (ErasedBy is null)
        {
            output.Write(end[..length]);
            return;
        }

        output.Write(end[..(length - "}\n".Length)]);
        RecordLine.WriteErasedBy(output, ErasedBy);
        output.Write("}\n"u8);
    }

    private static RoomEvent? Read(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json) => Read(ref reader, json, out _);
}
