using System.Buffers;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Reads a day's record: line by line, one line at an offset, or backwards for the newest state.</summary>
internal static class RecordReader
{
    private const int Chunk = 128 * 1024;

    /// <summary>Bytes of one day's record that are searched for earlier state.</summary>
    private const int LookBack = 4 * 1024 * 1024;

    /// <summary>Reads bytes of a record at an offset; returns how many, 0 at its end.</summary>
    public delegate int ReadAt(long offset, Span<byte> output);

    /// <summary>A line without its line break, which only the last one can lack; the bytes are valid until the next line is read.</summary>
    public readonly record struct Line(long Offset, ReadOnlyMemory<byte> Bytes, bool IsFinished);

    public static IEnumerable<Line> Lines(string path)
    {
        using var file = Posix.OpenRead(path);
        foreach (var line in Lines(file))
        {
            yield return line;
        }
    }

    public static IEnumerable<Line> Lines(Stream file)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            var filled = 0;
            var offset = 0L;
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
                for (int found; (found = buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n')) >= 0; searched = start)
                {
                    var end = searched + found;
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
    public static RoomEvent? EventAt(ReadAt record, long offset)
    {
        var line = new byte[4096];
        var length = 0;
        while (true)
        {
            var read = record(offset + length, line.AsSpan(length));
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

    /// <summary>The newest state event of a type and state key in the 4 MiB before an offset of an open record.</summary>
    public static RoomEvent? NewestState(ReadAt record, long before, string type, string stateKey)
    {
        var from = Math.Max(0, before - LookBack);
        var buffer = ArrayPool<byte>.Shared.Rent((int)(before - from));
        try
        {
            var wanted = (int)(before - from);
            var filled = 0;
            for (int read; filled < wanted && (read = record(from + filled, buffer.AsSpan(filled, wanted - filled))) > 0;)
            {
                filled += read;
            }

            // Parse only lines that contain the quoted key; a key with JSON escapes is not found.
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
