using Microsoft.Win32.SafeHandles;

namespace LoggingService.Journal;

/// <summary>Bytes of a segment that are neither a frame nor an unacknowledged end: the disk damaged them.</summary>
/// <param name="Bytes">Without zeros at the end, and without blocks that the disk can't read.</param>
internal sealed record DamagedBytes(string Path, long Offset, byte[] Bytes);

/// <summary>
/// Reads a segment frame by frame, in memory for one frame. An invalid frame at the end was never acknowledged, and is skipped. After an
/// invalid one in the middle, reading continues at the next valid frame with a higher sequence. A gap in the sequence is no damage.
/// </summary>
internal static class JournalReader
{
    /// <summary>The valid frames behind a sequence, each with the offset of the next one.</summary>
    /// <param name="damaged">Receives the bytes between frames that are not a frame, before the next frame is returned.</param>
    public static IEnumerable<(JournalFrame Frame, long End)> ReadFrames(
        SafeFileHandle file, string path, ulong salt, long after, Action<DamagedBytes> damaged)
    {
        var length = salt == 0 ? 0 : RandomAccess.GetLength(file);
        long? damageStart = null;
        for (long offset = JournalFrame.Block; offset + JournalFrame.HeaderLength <= length;)
        {
            if (ReadFrame(file, offset, length, salt, out var sequence) is { } bytes && TryReadEntries(bytes, out var entries))
            {
                if (damageStart is { } start)
                {
                    damaged(ReadDamage(file, path, start, offset));
                    damageStart = null;
                }

                offset = JournalFrame.AlignUp(offset + bytes.Length);
                if (sequence > after)
                {
                    after = sequence;
                    yield return (new(sequence, entries), offset);
                }
            }
            else
            {
                damageStart ??= offset;
                offset += JournalFrame.Block;
            }
        }
    }

    /// <summary>A frame whose entries can't be read, whatever its checksum, is damage: it must not end each start.</summary>
    private static bool TryReadEntries(byte[] frame, out List<JournalEntry> entries)
    {
        try
        {
            entries = JournalEntry.ReadAll(frame.AsMemory(JournalFrame.HeaderLength));
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            entries = [];
            return false;
        }
    }

    public static DamagedBytes ReadDamage(SafeFileHandle file, string path, long start, long end)
    {
        using var bytes = new MemoryStream();
        for (var offset = start; offset < end; offset += JournalFrame.Block)
        {
            bytes.Write(Read(file, offset, (int)Math.Min(JournalFrame.Block, end - offset)));
        }

        return new(path, start, bytes.GetBuffer().AsSpan(0, (int)bytes.Length).TrimEnd((byte)0).ToArray());
    }

    /// <summary>Reads bytes; fewer at the end of the file, and where the disk can't read a block.</summary>
    public static byte[] Read(SafeFileHandle file, long offset, int count)
    {
        var bytes = new byte[count];
        var filled = 0;
        try
        {
            for (int read; filled < count && (read = RandomAccess.Read(file, bytes.AsSpan(filled), offset + filled)) > 0;)
            {
                filled += read;
            }
        }
        catch (IOException)
        {
            // EIO: what was read before counts.
        }

        return filled == count ? bytes : bytes[..filled];
    }

    private static byte[]? ReadFrame(SafeFileHandle file, long offset, long length, ulong salt, out long sequence)
    {
        if (!JournalFrame.TryReadHeader(Read(file, offset, JournalFrame.HeaderLength), out var payload, out sequence)
            || payload > length - offset - JournalFrame.HeaderLength)
        {
            return null;
        }

        var frame = Read(file, offset, JournalFrame.HeaderLength + payload);
        return frame.Length == JournalFrame.HeaderLength + payload && JournalFrame.IsValid(frame, salt) ? frame : null;
    }
}
