using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using LoggingService.Files;
using LoggingService.Journal;

namespace LoggingService.Upgrade;

/// <summary>
/// A segment of the journal of version 0.1: frames from offset 0, each a payload length (4 bytes), XXH3 of the payload (8), payload. The
/// payload is, for each file: length of its name (2), name in UTF-8, offset (8), number of bytes (4), the bytes. Integers are
/// little-endian. Only zeros may follow the last frame.
/// </summary>
/// <param name="Writes">What the frames wrote to files, in order.</param>
/// <param name="Rest">The bytes behind the frames.</param>
internal sealed record LegacySegment(string Path, IReadOnlyList<LegacySegment.Write> Writes, DamagedBytes Rest)
{
    private const int HeaderLength = 12;

    /// <param name="Name">The path within the log directory.</param>
    public readonly record struct Write(string Name, long Offset, ReadOnlyMemory<byte> Bytes)
    {
        public long End => Offset + Bytes.Length;
    }

    /// <summary>Whether a valid frame is in the rest: then the rest is not merely a frame that was never acknowledged.</summary>
    public bool HasFrameInRest
    {
        get
        {
            for (var rest = Rest.Bytes.AsMemory(); rest.Length > HeaderLength; rest = rest[1..])
            {
                if (TryReadFrame(rest) is not null)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Reads a segment; <c>null</c> for a file that doesn't start with a frame, such as one of today's format.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public static LegacySegment? Read(string path)
    {
        using (var file = Posix.OpenRead(path))
        {
            // Today's header, read as a length, is negative.
            var length = new byte[4];
            if (file.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length
                || BinaryPrimitives.ReadInt32LittleEndian(length) <= 0)
            {
                return null;
            }
        }

        var writes = new List<Write>();
        ReadOnlyMemory<byte> bytes = File.ReadAllBytes(path);
        var rest = bytes;
        while (TryReadFrame(rest) is { } payload)
        {
            rest = rest[(HeaderLength + payload.Length)..];
            ReadPayload(payload, writes);
        }

        var offset = bytes.Length - rest.Length;
        return offset == 0 ? null : new(path, writes, new(path, offset, rest.Span.TrimEnd((byte)0).ToArray()));
    }

    private static ReadOnlyMemory<byte>? TryReadFrame(ReadOnlyMemory<byte> bytes)
    {
        var length = bytes.Length < HeaderLength ? 0 : BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
        if (length <= 0 || length > bytes.Length - HeaderLength)
        {
            return null;
        }

        var payload = bytes.Slice(HeaderLength, length);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[4..]) == XxHash3.HashToUInt64(payload.Span) ? payload : null;
    }

    private static void ReadPayload(ReadOnlyMemory<byte> payload, List<Write> writes)
    {
        while (!payload.IsEmpty)
        {
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(payload.Span);
            var name = Encoding.UTF8.GetString(payload.Span.Slice(2, nameLength));
            payload = payload[(2 + nameLength)..];
            var offset = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
            var length = BinaryPrimitives.ReadInt32LittleEndian(payload.Span[8..]);
            writes.Add(new(name, offset, payload.Slice(12, length)));
            payload = payload[(12 + length)..];
        }
    }
}
