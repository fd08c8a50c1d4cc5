namespace Bench;

/// <summary>
/// Counts the lines in the rooms' files of a contender. A contender may acknowledge before it writes them: an event counts when
/// its line is in the file.
/// </summary>
/// <param name="fileOf">Returns the path of a room's file; <c>null</c> for a contender that has written what it acknowledges.</param>
internal sealed class WrittenFiles(Func<long, string>? fileOf)
{
    private readonly Dictionary<long, (long Offset, long Lines)> _counted = [];
    private readonly byte[] _buffer = new byte[256 * 1024];

    /// <summary>Waits until each room has its number of lines; returns the time of the last append to them.</summary>
    /// <exception cref="TimeoutException">Lines are still missing after <paramref name="timeout"/>.</exception>
    public DateTime WaitFor(Dictionary<long, long> expected, TimeSpan timeout)
    {
        var last = DateTime.MinValue;
        if (fileOf is null)
        {
            return last;
        }

        var deadline = DateTime.UtcNow + timeout;
        var waiting = expected.ToList();
        while (true)
        {
            waiting.RemoveAll(room => Count(room.Key) >= room.Value);
            if (waiting.Count == 0)
            {
                break;
            }

            if (DateTime.UtcNow > deadline)
            {
                var (room, lines) = waiting[0];
                throw new TimeoutException($"{waiting.Count} rooms lack lines: {fileOf(room)} has {Count(room)} of {lines}");
            }

            Thread.Sleep(5);
        }

        // The files know when they were written: however long it took to look at all of them, it costs the contender nothing.
        foreach (var room in expected.Keys)
        {
            var written = File.GetLastWriteTimeUtc(fileOf(room));
            last = written > last ? written : last;
        }

        return last;
    }

    /// <summary>The number of lines in a room's file.</summary>
    public long Count(long room)
    {
        var (offset, lines) = _counted.GetValueOrDefault(room);
        var file = new FileInfo(fileOf!(room));
        if (!file.Exists || file.Length == offset)
        {
            return lines;
        }

        using var handle = File.OpenHandle(file.FullName, share: FileShare.ReadWrite | FileShare.Delete);
        for (int read; (read = RandomAccess.Read(handle, _buffer, offset)) > 0; offset += read)
        {
            lines += _buffer.AsSpan(0, read).Count((byte)'\n');
        }

        _counted[room] = (offset, lines);
        return lines;
    }
}
