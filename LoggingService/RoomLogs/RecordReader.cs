using System.Buffers;
using LoggingService.Events;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Reads a day's record: line by line, one line where its offset is known, or backwards for the newest of something.</summary>
internal static class RecordReader
{
    private const int Chunk = 128 * 1024;

    /// <summary>How far back a member's earlier state is looked for in one day's record, in bytes.</summary>
    private const int LookBack = 4 * 1024 * 1024;

    /// <summary>A line of a record.</summary>
    /// <param name="Offset">Where it begins, in bytes.</param>
    /// <param name="Bytes">The line without its line break; valid until the next one is asked for.</param>
    /// <param name="IsFinished">Whether it has a line break; only the last one can have none.</param>
    public readonly record struct Line(long Offset, ReadOnlyMemory<byte> Bytes, bool IsFinished);

    /// <summary>All lines of a file, from its beginning.</summary>
    public static IEnumerable<Line> Lines(string path)
    {
        using var file = Posix.OpenRead(path);
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            var (filled, offset) = (0, 0L);
            while (true)
            {
                if (filled == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.AsSpan(0, filled).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                var searched = filled;
                var read = file.Read(buffer, filled, buffer.Length - filled);
                if (read == 0)
                {
                    break;
                }

                filled += read;
                var start = 0;
                for (int found; (found = buffer.AsSpan(Math.Max(start, searched), filled - Math.Max(start, searched)).IndexOf((byte)'\n')) >= 0;)
                {
                    var end = Math.Max(start, searched) + found;
                    yield return new(offset + start, buffer.AsMemory(start, end - start), IsFinished: true);
                    start = end + 1;
                }

                buffer.AsSpan(start, filled - start).CopyTo(buffer);
                filled -= start;
                offset += start;
            }

            if (filled > 0)
            {
                yield return new(offset, buffer.AsMemory(0, filled), IsFinished: false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The event whose line begins at an offset of an open record, the pending lines included.</summary>
    public static RoomEvent? EventAt(DayFile record, long offset)
    {
        var (line, length) = (new byte[4096], 0);
        while (true)
        {
            var read = record.Read(offset + length, line.AsSpan(length));
            var end = line.AsSpan(length, read).IndexOf((byte)'\n');
            if (end >= 0 || read == 0)
            {
                return RoomEvent.FromRecord(line.AsMemory(0, length + Math.Max(end, 0)));
            }

            length += read;
            if (length == line.Length)
            {
                Array.Resize(ref line, line.Length * 2);
            }
        }
    }

    /// <summary>The newest state event of a type and state key among a record's last 4 MiB.</summary>
    /// <param name="record">The record, its pending lines included.</param>
    /// <param name="before">Only lines that begin before this offset count.</param>
    /// <param name="type">The event's type.</param>
    /// <param name="stateKey">Its state key.</param>
    public static RoomEvent? NewestState(DayFile record, long before, string type, string stateKey)
    {
        var from = Math.Max(0, before - LookBack);
        var buffer = ArrayPool<byte>.Shared.Rent((int)(before - from));
        try
        {
            var filled = 0;
            for (int read; from + filled < before && (read = record.Read(from + filled, buffer.AsSpan(filled, (int)(before - from) - filled))) > 0;)
            {
                filled += read;
            }

            // The key as it stands in a line, to look closer only where it does; one with escapes in it isn't found.
            var needle = System.Text.Encoding.UTF8.GetBytes($"\"{stateKey}\"");
            var rest = buffer.AsMemory(0, filled);
            for (int hit; (hit = rest.Span.LastIndexOf(needle)) >= 0;)
            {
                var start = rest.Span[..hit].LastIndexOf((byte)'\n') + 1;
                var length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n');
                if (length >= 0
                    && RoomEvent.FromRecord(buffer.AsMemory(start, length).ToArray()) is { } found
                    && found.Type == type && found.StateKey == stateKey)
                {
                    return found;
                }

                rest = rest[..start];
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
