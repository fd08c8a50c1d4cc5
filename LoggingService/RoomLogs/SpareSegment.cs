using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// A segment of the journal that is needed no more, cleared and kept to be the next one: bytes that are written over others
/// are synced in half the time of bytes that make a file longer, for nothing but them has to be. Where it fails there is
/// none, and the next segment is a new file.
/// </summary>
/// <param name="folder">The journal's.</param>
internal sealed class SpareSegment(string folder)
{
    private const int Chunk = 64 * 1024;
    private const long Largest = 32 * 1024 * 1024;
    private readonly Lock _lock = new();
    private readonly string _spare = Path.Combine(folder, "spare");
    private readonly string _used = Path.Combine(folder, "used");
    private bool _isToBeCleared;

    // Only what this process has cleared is sure to be zeros: an old frame could be taken for one that follows a new one.
    private Posix.FileIdentity? _cleared;

    /// <summary>Takes a segment away from the journal, to be cleared; false where it stays.</summary>
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
                return _isToBeCleared = true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <summary>Clears what was taken; beside the transactions.</summary>
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
                // It must be gone as a segment before its bytes are.
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

    /// <summary>Makes the spare one the segment at a path, if there is one; a transaction doesn't wait until it is cleared.</summary>
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

    /// <summary>Removes what was kept, for who reads the folder after a stop. Where that fails, the next start leaves it alone.</summary>
    public void Remove()
    {
        lock (_lock)
        {
            (_isToBeCleared, _cleared) = (false, null);
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

        // Frames stand from its beginning on, and none has so many zeros.
        for (var at = 0L; (read = RandomAccess.Read(file, there, at)) > 0 && there.AsSpan(0, read).ContainsAnyExcept((byte)0); at += read)
        {
            RandomAccess.Write(file, zeros.AsSpan(0, read), at);
        }
    }
}
