using LoggingService.Files;

namespace LoggingService.Journal;

/// <summary>
/// A dropped segment that is kept for reuse: overwriting allocated blocks needs no commit of the file system's own journal, which halves
/// the time of a sync. It is renamed away durably, then overwritten with zeros, so that no old frame remains.
/// </summary>
internal sealed class RecycledSegment(string folder)
{
    private readonly string _path = Path.Combine(folder, "spare");
    private readonly Lock _lock = new();
    private Task<bool> _zeroed = Task.FromResult(false);
    private Posix.FileIdentity? _identity;

    /// <summary>Deletes the file, at a start and at a clean stop.</summary>
    public void Delete()
    {
        if (File.Exists(_path))
        {
            File.Delete(_path);
        }
    }

    /// <summary>
    /// Moves a segment away; false if one is kept already. The caller syncs the folder, then calls <see cref="StartZeroing"/>.
    /// </summary>
    public bool TryRetire(JournalSegment segment)
    {
        lock (_lock)
        {
            if (!_zeroed.IsCompleted || _zeroed.Result || segment.HasFailed || segment.End > WriteAheadJournal.SegmentSize)
            {
                return false;
            }

            Posix.Rename(segment.Path, _path);
            _identity = Posix.Stat(_path);
            _zeroed = new Task<bool>(Zero);
            return true;
        }
    }

    /// <summary>Overwrites the retired file in the background.</summary>
    public void StartZeroing()
    {
        if (_zeroed.Status == TaskStatus.Created)
        {
            _zeroed.Start(TaskScheduler.Default);
        }
    }

    /// <summary>
    /// Moves the zeroed file to the path of a new segment; false if there is none, or another program's file. The caller syncs the folder.
    /// </summary>
    public bool TryTake(string path)
    {
        // Not while another segment is retired: its file would be moved, and zeroed at its new path.
        lock (_lock)
        {
            if (!_zeroed.IsCompletedSuccessfully || !_zeroed.Result)
            {
                return false;
            }

            _zeroed = Task.FromResult(false);
            try
            {
                if (Posix.Stat(_path) != _identity)
                {
                    return false;
                }

                Posix.Rename(_path, path);
                return true;
            }
            catch (IOException)
            {
                // The new segment gets a new file.
                return false;
            }
        }
    }

    private bool Zero()
    {
        try
        {
            // Not created where a stop has deleted it.
            using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            if (Posix.Stat(file, _path) != _identity)
            {
                // Another program's file: its content is not ours to overwrite.
                return false;
            }

            var zeros = new byte[128 * 1024];
            var length = RandomAccess.GetLength(file);
            for (long offset = 0; offset < length; offset += zeros.Length)
            {
                RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - offset)), offset);
            }

            Posix.Sync(file, _path);
            _identity = Posix.Stat(file, _path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only an optimization: new segments get new files.
            return false;
        }
    }
}
