using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// A recycled segment of the journal, zeroed to become the next one: overwriting allocated blocks needs no metadata
/// journaling, which halves fsync time. Where recycling fails, the next segment is a new file.
/// </summary>
internal sealed class SpareSegment(string folder)
{
    private const int Chunk = 64 * 1024;
    private const long Largest = 32 * 1024 * 1024;
    private readonly Lock _lock = new();
    private readonly string _spare = Path.Combine(folder, "spare");
    private readonly string _used = Path.Combine(folder, "used");
    private bool _isToBeCleared;

    // Only a file zeroed by this process is safe: an old frame could be read as one that follows a new frame.
    private Posix.FileIdentity? _cleared;

    /// <summary>Takes a segment from the journal to recycle it; false if it stays.</summary>
    public bool TryKeep(string segment)
    {
        lock (_lock)
        {
            try
            {
                if (new FileInfo(segment) is not { Exists: true, LinkTarget: null, Length: > 0 and <= Largest })
                {
                    return false;
                }

                Posix.Rename(segment, _used);
                _isToBeCleared = true;
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <summary>Zeroes the segment that was taken; concurrent with transactions.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (!_isToBeCleared)
            {
                return;
            }

            _isToBeCleared = false;
            try
            {
                // The rename must be durable before the bytes are zeroed.
                Posix.Sync(folder);
                using (var file = Posix.OpenOrCreate(_used))
                {
                    Clear(file);
                    Posix.Sync(file, _used);
                }

                Posix.Rename(_used, _spare);
                _cleared = Posix.Stat(_spare);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _cleared = null;
            }
        }
    }

    /// <summary>Renames the spare to a segment, if there is one; does not wait while it is being zeroed.</summary>
    public void TryTakeAs(string segment)
    {
        if (!_lock.TryEnter())
        {
            return;
        }

        try
        {
            if (_cleared is { } cleared && Posix.Stat(_spare) == cleared)
            {
                Posix.Rename(_spare, segment);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
        finally
        {
            _cleared = null;
            _lock.Exit();
        }
    }

    /// <summary>Removes the spare at the stop, on a best-effort basis; the next start ignores it.</summary>
    public void Remove()
    {
        lock (_lock)
        {
            _isToBeCleared = false;
            _cleared = null;
            try
            {
                File.Delete(_spare);
                File.Delete(_used);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    private static void Clear(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        var there = new byte[Chunk];
        var zeros = new byte[Chunk];
        int read;

        // Frames start at offset 0, and none has a chunk of zeros.
        for (var at = 0L; (read = RandomAccess.Read(file, there, at)) > 0 && there.AsSpan(0, read).ContainsAnyExcept((byte)0); at += read)
        {
            RandomAccess.Write(file, zeros.AsSpan(0, read), at);
        }
    }
}
