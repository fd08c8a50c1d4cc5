using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace LoggingService.RoomLogs;

/// <summary>
/// The frames of a segment: payload length (4 bytes), XXH3 of the payload (8), payload. The payload is, for each file: length
/// of its name (2), name in UTF-8, offset (8), number of bytes (4), the bytes, whose last is not zero. Integers are
/// little-endian. Only zeros may follow the last frame.
/// </summary>
internal static class JournalFrames
{
    private const int HeaderLength = 12;

    public readonly record struct Redo(string Name, long Offset, ReadOnlyMemory<byte> Bytes);

    /// <summary>Writes a frame of the files' pending bytes; the result is a view of the stream's buffer.</summary>
    public static ReadOnlySpan<byte> Write(MemoryStream output, IEnumerable<DayFile> files)
    {
        Span<byte> number = stackalloc byte[8];
        output.SetLength(HeaderLength);
        output.Position = HeaderLength;
        foreach (var file in files)
        {
            var name = Encoding.UTF8.GetBytes(file.Name);
            BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)name.Length);
            output.Write(number[..2]);
            output.Write(name);
            BinaryPrimitives.WriteInt64LittleEndian(number, file.Length);
            output.Write(number);
            BinaryPrimitives.WriteInt32LittleEndian(number, (int)file.Pending.Length);
            output.Write(number[..4]);
            output.Write(file.Pending.Span);
        }

        var frame = output.GetBuffer().AsSpan(0, (int)output.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - HeaderLength);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[4..], XxHash3.HashToUInt64(frame[HeaderLength..]));
        return frame;
    }

    /// <summary>Reads the frames at the start of a segment; returns the rest without trailing zeros.</summary>
    public static ReadOnlySpan<byte> Read(ReadOnlyMemory<byte> segment, List<Redo> redos)
    {
        while (StartsWithFrame(segment.Span, out var length))
        {
            ReadPayload(segment.Slice(HeaderLength, length), redos);
            segment = segment[(HeaderLength + length)..];
        }

        return segment.Span.TrimEnd((byte)0);
    }

    /// <summary>True if any valid frame starts within. Text read as a length exceeds the buffer, so few candidates are hashed.</summary>
    public static bool AreIn(ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length > HeaderLength; bytes = bytes[1..])
        {
            if (StartsWithFrame(bytes, out _))
            {
                return true;
            }
        }

        return false;
    }

    private static bool StartsWithFrame(ReadOnlySpan<byte> bytes, out int length)
    {
        length = bytes.Length < HeaderLength ? 0 : BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return length > 0
            && length <= bytes.Length - HeaderLength
            && BinaryPrimitives.ReadUInt64LittleEndian(bytes[4..]) == XxHash3.HashToUInt64(bytes.Slice(HeaderLength, length));
    }

    private static void ReadPayload(ReadOnlyMemory<byte> payload, List<Redo> redos)
    {
        while (!payload.IsEmpty)
        {
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(payload.Span);
            var name = Encoding.UTF8.GetString(payload.Span.Slice(2, nameLength));
            payload = payload[(2 + nameLength)..];
            var offset = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
            var length = BinaryPrimitives.ReadInt32LittleEndian(payload.Span[8..]);
            redos.Add(new(name, offset, payload.Slice(12, length)));
            payload = payload[(12 + length)..];
        }
    }
}
