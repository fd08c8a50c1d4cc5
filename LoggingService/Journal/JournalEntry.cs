using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace LoggingService.Journal;

/// <summary>What an entry contains. The values are part of the format on disk; all others are reserved.</summary>
internal enum JournalEntryKind : byte
{
    /// <summary>An event of a logged room, as it was pushed.</summary>
    Event = 1,

    /// <summary>Input for the quarantine.</summary>
    Unloggable = 2,

    /// <summary>A line of the service itself in a room's log.</summary>
    Note = 3,
}

/// <summary>
/// The unit of the journal. On disk: the length of the rest (4 bytes), the kind (1), then fields: tag (1), length (4), value. A reader
/// skips unknown tags. Integers are little-endian, text is UTF-8.
/// </summary>
/// <param name="Bytes">The event as it was pushed, or the unloggable input.</param>
internal sealed record JournalEntry(JournalEntryKind Kind, long ReceivedTs, DateOnly Day, ReadOnlyMemory<byte> Bytes)
{
    private const byte ReceivedTsTag = 1;
    private const byte DayTag = 2;
    private const byte BytesTag = 3;
    private const byte ReasonTag = 4;
    private const byte TransactionIdTag = 5;
    private const byte IsJsonTag = 6;
    private const byte FetchedTsTag = 7;
    private const byte ErasedByTag = 8;

    /// <summary>Milliseconds since 1970 at which the transaction was committed.</summary>
    public long ReceivedTs { get; private set; } = ReceivedTs;

    /// <summary>The day of the files that the entry belongs to, stamped at the commit: a replay asks no clock and no zone.</summary>
    public DateOnly Day { get; private set; } = Day;

    /// <summary>The event or the note; <c>null</c> for unloggable input, and for bytes of another program that are no event.</summary>
    public RoomEvent? Event { get => field ??= ReadEvent(); init; }

    /// <summary>Why the input is unloggable, without quoting it.</summary>
    public string? Reason { get; init; }

    /// <summary>The transaction of the unloggable input.</summary>
    public string? TransactionId { get; init; }

    /// <summary>The unloggable input is one JSON value.</summary>
    public bool IsJson { get; init; }

    /// <summary>Milliseconds since 1970 at which the service fetched the event; <c>null</c> if it was pushed.</summary>
    public long? FetchedTs { get; init; }

    /// <summary>The bytes are the stub of an erased event (<see cref="RoomEvent.ErasedBy"/>).</summary>
    public string? ErasedBy { get; init; }

    /// <summary>The day is not that of the commit.</summary>
    public bool HasOwnDay { get; init; }

    /// <summary>The entry of an event that was fetched from the homeserver.</summary>
    /// <param name="day">The day of its files; <c>null</c> for that of the commit.</param>
    public static JournalEntry OfFetched(RoomEvent e, long fetchedTs, DateOnly? day)
    {
        e.FetchedTs = fetchedTs;
        return new(JournalEntryKind.Event, 0, day ?? default, e.Json.Bytes)
        {
            Event = e,
            FetchedTs = fetchedTs,
            HasOwnDay = day is not null,
        };
    }

    /// <summary>Sets the time and the day of the commit, in the zone of the time.</summary>
    public void Stamp(DateTimeOffset now)
    {
        ReceivedTs = now.ToUnixTimeMilliseconds();
        Day = HasOwnDay ? Day : DateOnly.FromDateTime(now.DateTime);
        Event?.ReceivedTs = ReceivedTs;
    }

    public void Write(ArrayBufferWriter<byte> output)
    {
        var start = output.WrittenCount;
        output.GetSpan(5)[4] = (byte)Kind;
        output.Advance(5);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, ReceivedTs);
        WriteField(output, ReceivedTsTag, number);
        BinaryPrimitives.WriteInt32LittleEndian(number, Day.DayNumber);
        WriteField(output, DayTag, number[..4]);
        if (FetchedTs is { } fetchedTs)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, fetchedTs);
            WriteField(output, FetchedTsTag, number);
        }

        if (ErasedBy is not null)
        {
            WriteField(output, ErasedByTag, Encoding.UTF8.GetBytes(ErasedBy));
        }

        if (Reason is not null)
        {
            WriteField(output, ReasonTag, Encoding.UTF8.GetBytes(Reason));
        }

        if (TransactionId is not null)
        {
            WriteField(output, TransactionIdTag, Encoding.UTF8.GetBytes(TransactionId));
        }

        if (IsJson)
        {
            WriteField(output, IsJsonTag, []);
        }

        WriteField(output, BytesTag, Bytes.Span);
        var written = MemoryMarshal.AsMemory(output.WrittenMemory).Span[start..];
        BinaryPrimitives.WriteInt32LittleEndian(written, written.Length - 4);
    }

    /// <summary>Reads the entries of a frame whose checksum matched.</summary>
    /// <exception cref="InvalidDataException">The payload is not a sequence of entries: another program wrote it.</exception>
    public static List<JournalEntry> ReadAll(ReadOnlyMemory<byte> payload)
    {
        var entries = new List<JournalEntry>();
        while (!payload.IsEmpty)
        {
            entries.Add(Read(TakeWithLength(ref payload)));
        }

        return entries;
    }

    private RoomEvent? ReadEvent()
    {
        var e = Kind == JournalEntryKind.Unloggable ? null : RoomEvent.FromJournal(Bytes, isNote: Kind == JournalEntryKind.Note);
        e?.ReceivedTs = ReceivedTs;
        e?.FetchedTs = FetchedTs;
        e?.ErasedBy = ErasedBy;
        return e;
    }

    private static JournalEntry Read(ReadOnlyMemory<byte> bytes)
    {
        var entry = new JournalEntry((JournalEntryKind)Take(ref bytes, 1).Span[0], 0, default, default);
        while (!bytes.IsEmpty)
        {
            var tag = Take(ref bytes, 1).Span[0];
            var value = TakeWithLength(ref bytes);
            entry = tag switch
            {
                ReceivedTsTag => entry with { ReceivedTs = BinaryPrimitives.ReadInt64LittleEndian(Take(ref value, 8).Span) },
                DayTag => entry with { Day = DateOnly.FromDayNumber(BinaryPrimitives.ReadInt32LittleEndian(Take(ref value, 4).Span)) },
                BytesTag => entry with { Bytes = value },
                ReasonTag => entry with { Reason = Encoding.UTF8.GetString(value.Span) },
                TransactionIdTag => entry with { TransactionId = Encoding.UTF8.GetString(value.Span) },
                IsJsonTag => entry with { IsJson = true },
                FetchedTsTag => entry with { FetchedTs = BinaryPrimitives.ReadInt64LittleEndian(Take(ref value, 8).Span) },
                ErasedByTag => entry with { ErasedBy = Encoding.UTF8.GetString(value.Span) },
                _ => entry,
            };
        }

        return entry;
    }

    private static void WriteField(ArrayBufferWriter<byte> output, byte tag, ReadOnlySpan<byte> value)
    {
        var header = output.GetSpan(5);
        header[0] = tag;
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], value.Length);
        output.Advance(5);
        output.Write(value);
    }

    private static ReadOnlyMemory<byte> TakeWithLength(ref ReadOnlyMemory<byte> bytes)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(Take(ref bytes, 4).Span);
        return Take(ref bytes, length);
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> bytes, int length)
    {
        if (length < 0 || length > bytes.Length)
        {
            throw new InvalidDataException("A journal frame with a valid checksum is not a sequence of entries");
        }

        var taken = bytes[..length];
        bytes = bytes[length..];
        return taken;
    }
}
