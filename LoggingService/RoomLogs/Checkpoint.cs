using System.Collections.Concurrent;
using LoggingService.Files;
using LoggingService.Logging;

namespace LoggingService.RoomLogs;

/// <summary>
/// Makes the journal superfluous: syncs the files that it names, and removes its segments. Beside the transactions; only
/// the moments in which a new segment begins and the old ones go are under the log directory's gate.
/// </summary>
internal sealed partial class Checkpoint(string root, Journal journal, SemaphoreSlim gate, Action<string> closeRoomOf, ILogger logger)
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, Posix.FileIdentity?> _unsynced = [];
    private readonly ConcurrentDictionary<string, bool> _failed = new();
    private bool _hasFailed;

    /// <summary>Whether one was begun that didn't come to its end: files that old segments name are not synced yet.</summary>
    public bool IsOpen => _unsynced.Count > 0 || !_failed.IsEmpty;

    /// <summary>Takes a file for one whose sync failed: it is made anew. Under the gate, and not beside a checkpoint.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public void Distrust(string name) => _failed[name] = true;

    /// <summary>Whether a file in a folder is still to be made anew: what it shows need not be what was written to it.</summary>
    /// <param name="folder">The folder's name in the log directory.</param>
    public bool Distrusts(string folder) => !_failed.IsEmpty && _failed.Keys.Any(name => Path.GetDirectoryName(name) == folder);

    /// <summary>Runs one checkpoint, after the one that may be running.</summary>
    /// <param name="stop">Ends it between two files; the segments stay then.</param>
    /// <exception cref="IOException">Something could not be synced or made anew: the segments stay, and the next checkpoint tries again.</exception>
    private async Task RunAsync(CancellationToken stop)
    {
        await _one.WaitAsync(stop);
        try
        {
            await gate.WaitAsync(stop);
            IReadOnlyList<string> segments;
            try
            {
                segments = Seal();
            }
            finally
            {
                gate.Release();
            }

            Sync(stop);
            await gate.WaitAsync(stop);
            try
            {
                MakeAnew();
                Finish(segments);
            }
            finally
            {
                gate.Release();
            }

            journal.ClearSpare();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Runs one checkpoint from inside the gate, for a journal that must be emptied before the next frame.</summary>
    /// <exception cref="IOException">As <see cref="RunAsync"/>.</exception>
    public void RunInsideGate()
    {
        // The other way round they wait for each other: one that is running beside may need the gate to end.
        if (!_one.Wait(0))
        {
            throw new IOException("A checkpoint is running; it must complete before the next write");
        }

        try
        {
            var segments = Seal();
            Sync(CancellationToken.None);
            MakeAnew();
            Finish(segments);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>As <see cref="RunAsync"/>, but a failure is told in the log, once until it succeeds again.</summary>
    public async Task TryRunAsync(CancellationToken stop)
    {
        try
        {
            await RunAsync(stop);
            if (_hasFailed)
            {
                Log.SucceededAgain(logger);
            }

            _hasFailed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_hasFailed)
            {
                Log.Failed(logger, e.Message);
            }

            _hasFailed = true;
        }
    }

    private IReadOnlyList<string> Seal()
    {
        var (segments, names) = journal.Seal();
        foreach (var name in names)
        {
            // Looked at here, under the gate: beside the transactions the journal's own view changes.
            _unsynced[name] = journal.StateOf(name);
        }

        return segments;
    }

    private void Sync(CancellationToken stop)
    {
        // Somebody moved a file: wherever it is now, what was acknowledged is in it.
        if (_unsynced.Any(file => file.Value is { } written && Posix.Stat(Path.Combine(root, file.Key))?.IsSameFileAs(written) != true))
        {
            Posix.SyncFileSystem(root);
        }

        // Not those that have failed before: Linux tells of a failure once, and a second sync would succeed and mean nothing.
        foreach (var name in _unsynced.Keys.Except(_failed.Keys).ToList())
        {
            stop.ThrowIfCancellationRequested();
            var path = Path.Combine(root, name);
            using var file = Posix.OpenToSync(path);
            try
            {
                // A file that is gone was removed by somebody: there is nothing of it to sync.
                if (file is not null)
                {
                    Posix.Sync(file, path);
                }
            }
            catch (IOException)
            {
                Distrust(name);
            }
        }

        // A failed fsync of a folder may be retried: names are in the file system's journal, and no fsync succeeds after that fails.
        Posix.SyncFolders(root, _unsynced.Keys, stop);
    }

    /// <summary>Linux has dropped the pages of a file whose sync failed: only the journal has them still.</summary>
    private void MakeAnew()
    {
        if (_failed.IsEmpty)
        {
            return;
        }

        var redos = FileRedo.Collect(journal.Read(out _));
        foreach (var name in _failed.Keys)
        {
            closeRoomOf(name);
            if (redos.TryGetValue(name, out var redo))
            {
                var path = Path.Combine(root, name);
                redo.MakeAnew(path);
                journal.Wrote(name, Posix.Stat(path) ?? default);
                Log.FileRebuilt(logger, path);
            }

            _failed.TryRemove(name, out _);
        }
    }

    private void Finish(IReadOnlyList<string> segments)
    {
        journal.Remove(segments);
        _unsynced.Clear();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = EventIds.CheckpointFailed, Level = LogLevel.Error, Message = "Checkpoint failed: {Reason}. "
            + "The journal retains all data, and the checkpoint will be retried. Check the system log (dmesg) for disk errors.")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(EventId = EventIds.CheckpointSucceededAgain, Level = LogLevel.Information, Message = "Checkpoint succeeded again")]
        public static partial void SucceededAgain(ILogger logger);

        [LoggerMessage(EventId = EventIds.FileRebuilt, Level = LogLevel.Warning,
            Message = "fsync failed for {File}; rebuilt from the journal. Check the system log (dmesg) for disk errors.")]
        public static partial void FileRebuilt(ILogger logger, string file);
    }
}
