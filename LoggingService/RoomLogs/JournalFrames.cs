using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace LoggingService.RoomLogs;

/// <summary>
/// The journal's frames, as they stand in a segment one after the other: payload length (4 bytes), XXH3 of the payload (8),
/// payload. The payload is, for each file: length of its name (2) and the name in UTF-8, the offset (8), the number of bytes
/// (4), the bytes, which end in no zero. Integers are little-endian. Zeros follow the last frame, or nothing.
/// </summary>
internal static class JournalFrames
{
    private const int HeaderLength = 12;

    /// <summary>Bytes of one file, as a frame has them.</summary>
    /// <param name="Name">The file's path within the log directory.</param>
    /// <param name="Offset">Where in the file the bytes stand.</param>
    /// <param name="Bytes">The bytes.</param>
    public readonly record struct Redo(string Name, long Offset, ReadOnlyMemory<byte> Bytes);

    /// <summary>Writes a frame of the files' pending bytes into an empty stream.</summary>
    /// <returns>The frame; valid as long as the stream isn't written.</returns>
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

    /// <summary>Reads the whole frames that a segment begins with.</summary>
    /// <param name="segment">Its bytes.</param>
    /// <param name="redos">Where they are added.</param>
    /// <returns>What stands after them, without the zeros at its end; often nothing.</returns>
    public static ReadOnlySpan<byte> Read(ReadOnlyMemory<byte> segment, List<Redo> redos)
    {
        while (StartsWithFrame(segment.Span, out var length))
        {
            ReadPayload(segment.Slice(HeaderLength, length), redos);
            segment = segment[(HeaderLength + length)..];
        }

        return segment.Span.TrimEnd((byte)0);
    }

    /// <summary>Whether a whole frame is somewhere in there. Text, read as a length, is more than there is: few are hashed.</summary>
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
