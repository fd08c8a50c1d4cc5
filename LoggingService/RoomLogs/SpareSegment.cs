namespace LoggingService.RoomLogs;

/// <summary>
/// A segment of the journal that is needed no more, cleared and kept to be the next one: bytes that are written over others
/// are synced in half the time of bytes that make a file longer, for nothing but them has to be.
/// </summary>
/// <param name="folder">The journal's.</param>
internal sealed class SpareSegment(string folder)
{
    private const int Chunk = 64 * 1024;
    private const long Largest = 32 * 1024 * 1024;
    private readonly string _spare = Path.Combine(folder, "spare");
    private readonly string _used = Path.Combine(folder, "used");
    private bool _isToBeCleared;

    /// <summary>Takes a segment away from the journal, to be cleared; false where it isn't worth it. Under the log directory's gate.</summary>
    public bool TryKeep(string segment)
    {
        if (new FileInfo(segment) is not { Exists: true, LinkTarget: null, Length: > 0 and <= Largest })
        {
            return false;
        }

        Disk.Rename(segment, _used);
        _isToBeCleared = true;
        return true;
    }

    /// <summary>Clears what was taken, beside the transactions; not twice at the same time. Where that fails there is no spare one, and nobody relies on it.</summary>
    public void Clear()
    {
        if (!_isToBeCleared)
        {
            return;
        }

        _isToBeCleared = false;
        try
        {
            using (var file = Disk.OpenOrCreate(_used))
            {
                var there = new byte[Chunk];
                var zeros = new byte[Chunk];
                int read;

                // Frames stand from its beginning on, and none has so many zeros.
                for (var at = 0L; (read = RandomAccess.Read(file, there, at)) > 0 && there.AsSpan(0, read).ContainsAnyExcept((byte)0); at += read)
                {
                    RandomAccess.Write(file, zeros.AsSpan(0, read), at);
                }

                // An old frame that came back could be taken for one that follows a new one.
                Disk.Sync(file, _used);
            }

            Disk.Rename(_used, _spare);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Makes the spare one the segment at a path, if there is one. Under the log directory's gate.</summary>
    public void TryTakeAs(string segment)
    {
        if (File.Exists(_spare))
        {
            Disk.Rename(_spare, segment);
        }
    }

    /// <summary>Removes what was kept, for who reads the folder after a stop. Where that fails, the next start finds it.</summary>
    public void Remove()
    {
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
