using System.Buffers;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Reads a day's record: line by line, one line at an offset, or backwards for the newest state.</summary>
internal static class RecordReader
{
    private const int Chunk = 128 * 1024;

    /// <summary>Bytes that are read first where a record is read backwards.</summary>
    private const int FirstChunk = 16 * 1024;

    /// <summary>Bytes that are read at once further back, unless a line is longer.</summary>
    private const int MaxChunk = 1024 * 1024;

    /// <summary>Bytes of one day's record that are searched for earlier state.</summary>
    public const int LookBack = 4 * 1024 * 1024;

    /// <summary>Reads bytes of a record at an offset; returns how many, 0 at its end.</summary>
    public delegate int ReadAt(long offset, Span<byte> output);

    /// <summary>A line without its line break, which only the last one can lack; the bytes are valid until the next line is read.</summary>
    public readonly record struct Line(long Offset, ReadOnlyMemory<byte> Bytes, bool IsFinished);

    /// <param name="path">Without <c>.gz</c>, also of a compressed record.</param>
    public static IEnumerable<Line> Lines(string path)
    {
        using var file = DayFile.Open(path);
        foreach (var line in Lines(file.ReadAt, 0, long.MaxValue))
        {
            yield return line;
        }
    }

    public static IEnumerable<Line> Lines(Stream file) => Lines((_, output) => file.Read(output), 0, long.MaxValue);

    /// <summary>The lines from an offset to another one, each a start of a line or the end, of an open record.</summary>
    public static IEnumerable<Line> Lines(ReadAt record, long from, long end)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            var filled = 0;
            var offset = from;
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
                var wanted = (int)Math.Min(buffer.Length - filled, end - offset - filled);
                var read = record(offset + filled, buffer.AsSpan(filled, wanted));
                if (read == 0)
                {
                    break;
                }

                filled += read;
                var start = 0;
                for (int found; (found = buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n')) >= 0; searched = start)
                {
                    var lineEnd = searched + found;
                    yield return new(offset + start, buffer.AsMemory(start, lineEnd - start), IsFinished: true);
                    start = lineEnd + 1;
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
    public static RoomEvent? EventAt(ReadAt record, long offset) => RoomEvent.FromRecord(LineAt(record, offset));

    /// <summary>The line that begins at an offset of an open record, without its line break.</summary>
    public static ReadOnlyMemory<byte> LineAt(ReadAt record, long offset)
    {
        // Most lines are short, and few lookups keep one.
        Span<byte> start = stackalloc byte[2048];
        var length = record(offset, start);
        var end = start[..length].IndexOf((byte)'\n');
        if (end >= 0)
        {
            return start[..end].ToArray();
        }

        var line = new byte[4 * start.Length];
        start[..length].CopyTo(line);
        while (true)
        {
            var read = record(offset + length, line.AsSpan(length));
            end = line.AsSpan(length, read).IndexOf((byte)'\n');
            if (end >= 0 || read == 0)
            {
                return line.AsMemory(0, length + Math.Max(end, 0));
            }

            length += read;
            if (length == line.Length)
            {
                Array.Resize(ref line, line.Length * 2);
            }
        }
    }

    /// <summary>The newest event before a line of an open record, or its end, whose line contains some bytes.</summary>
    /// <param name="needle">Only lines that contain it are parsed; what is escaped in JSON is not found.</param>
    /// <param name="lookBack">How many bytes are searched.</param>
    public static (RoomEvent Event, long Offset)? Newest(
        ReadAt record, long before, byte[] needle, Predicate<RoomEvent> matches, long lookBack = LookBack)
    {
        var limit = Math.Max(0, before - lookBack);
        var end = before;
        for (long size = FirstChunk; end > limit;)
        {
            var from = Math.Max(limit, end - size);
            var bytes = ReadAll(record, from, new byte[end - from]);

            // Only whole lines: what is before the first is read with the next chunk.
            var start = from == limit ? 0 : bytes.Span.IndexOf((byte)'\n') + 1;
            if (start == 0 && from > limit)
            {
                size *= 4;
                continue;
            }

            var lines = bytes[start..];
            for (int hit; (hit = lines.Span.LastIndexOf(needle)) >= 0;)
            {
                var lineStart = lines.Span[..hit].LastIndexOf((byte)'\n') + 1;
                var line = lines[lineStart..];
                var length = line.Span.IndexOf((byte)'\n');
                if (RoomEvent.FromRecord(length < 0 ? line : line[..length]) is { } found && matches(found))
                {
                    return (found.Copy(), from + start + lineStart);
                }

                lines = lines[..lineStart];
            }

            end = from + start;
            size = Math.Min(size * 4, MaxChunk);
        }

        return null;
    }

    /// <summary>Reads at an offset until the output is full or the record ends, and returns what was read.</summary>
    public static Memory<byte> ReadAll(ReadAt record, long offset, Memory<byte> output)
    {
        var filled = 0;
        for (int read; filled < output.Length && (read = record(offset + filled, output.Span[filled..])) > 0;)
        {
            filled += read;
        }

        return output[..filled];
    }
}
