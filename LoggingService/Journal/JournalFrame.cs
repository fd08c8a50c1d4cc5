using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LoggingService.Journal;

/// <summary>
/// The unit of durability: the entries of one group commit. In a segment: payload length (4 bytes), zeros (4), sequence (8), checksum (8),
/// payload. The checksum is XXH3 of the other fields and the payload, seeded with the segment's salt: neither an old frame in a recycled
/// segment nor a frame that was forged inside a message matches.
/// </summary>
/// <param name="Sequence">Counts frames from 1; higher in each later frame, never used twice.</param>
/// <param name="DurableAt">A monotonic timestamp of the commit; 0 for a frame that was read from a file.</param>
internal sealed record JournalFrame(long Sequence, IReadOnlyList<JournalEntry> Entries, long DurableAt = 0)
{
    /// <summary>Frames start at multiples of this, the unit in which disks tear a write: a torn write reaches no earlier frame.</summary>
    public const int Block = 4096;

    /// <summary>Bytes before the payload.</summary>
    public const int HeaderLength = 24;

    private const int HashedLength = 16;

    /// <summary>The offset of the frame after one that ends at <paramref name="offset"/>.</summary>
    public static long AlignUp(long offset) => (offset + Block - 1) / Block * Block;

    /// <summary>Starts a frame in a buffer.</summary>
    public static void Begin(ArrayBufferWriter<byte> buffer)
    {
        buffer.ResetWrittenCount();
        buffer.GetSpan(HeaderLength)[..HeaderLength].Clear();
        buffer.Advance(HeaderLength);
    }

    /// <summary>Completes the header of a frame that <see cref="Begin"/> started, and returns the whole frame.</summary>
    public static ReadOnlySpan<byte> End(ArrayBufferWriter<byte> buffer, long sequence, ulong salt)
    {
        var frame = MemoryMarshal.AsMemory(buffer.WrittenMemory).Span;
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - HeaderLength);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[HashedLength..], Checksum(frame, salt));
        return frame;
    }

    /// <summary>The payload length and the sequence that a header claims; false if it is no header.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> header, out int length, out long sequence)
    {
        length = 0;
        sequence = 0;
        if (header.Length < HeaderLength || header[4..8].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        length = BinaryPrimitives.ReadInt32LittleEndian(header);
        sequence = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
        return length > 0;
    }

    /// <summary>Whether the checksum of a whole frame matches.</summary>
    public static bool IsValid(ReadOnlySpan<byte> frame, ulong salt) =>
        BinaryPrimitives.ReadUInt64LittleEndian(frame[HashedLength..]) == Checksum(frame, salt);

    private static ulong Checksum(ReadOnlySpan<byte> frame, ulong salt)
    {
        var hash = new XxHash3(unchecked((long)salt));
        hash.Append(frame[..HashedLength]);
        hash.Append(frame[HeaderLength..]);
        return hash.GetCurrentHashAsUInt64();
    }
}
