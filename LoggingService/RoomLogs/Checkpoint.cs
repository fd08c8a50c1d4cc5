using System.Collections.Concurrent;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Syncs the files that the journal names, concurrently with transactions, and removes its segments, inside the gate.</summary>
internal sealed partial class Checkpoint(string root, Journal journal, SemaphoreSlim gate, Action<string> closeRoomOf, ILogger logger)
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, Posix.FileIdentity?> _unsynced = [];
    private readonly ConcurrentDictionary<string, bool> _failed = new();
    private bool _hasFailed;

    /// <summary>Whether a checkpoint did not complete: files that old segments name are not synced yet.</summary>
    public bool IsOpen => _unsynced.Count > 0 || !_failed.IsEmpty;

    /// <summary>Marks a file's fsync as failed: it is rebuilt. Only under the gate, and not during a checkpoint.</summary>
    public void Distrust(string name) => _failed[name] = true;

    /// <summary>Whether a file in a folder needs a rebuild: its content may not be what was written to it.</summary>
    public bool Distrusts(string folder) => !_failed.IsEmpty && _failed.Keys.Any(name => Path.GetDirectoryName(name) == folder);

    /// <summary>Runs one checkpoint, after a running one; cancelled between two files, it keeps the segments.</summary>
    /// <exception cref="IOException">A sync or rebuild failed: the segments stay, and the next checkpoint retries.</exception>
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

    /// <summary>As <see cref="RunAsync"/>, inside the gate, for a journal that must be emptied before the next frame.</summary>
    public void RunInsideGate()
    {
        // Waiting here would deadlock: a running checkpoint needs the gate to complete.
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

    /// <summary>As <see cref="RunAsync"/>, but logs a failure, once until it succeeds again.</summary>
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
            // Read under the gate: concurrent transactions change the journal's state.
            _unsynced[name] = journal.StateOf(name);
        }

        return segments;
    }

    private void Sync(CancellationToken stop)
    {
        // A moved file contains acknowledged data wherever it is now.
        if (_unsynced.Any(file => file.Value is { } written && Posix.Stat(Path.Combine(root, file.Key))?.IsSameFileAs(written) != true))
        {
            Posix.SyncFileSystem(root);
        }

        // Linux reports a failure once: a second fsync of a failed file would falsely succeed.
        foreach (var name in _unsynced.Keys.Except(_failed.Keys).ToList())
        {
            stop.ThrowIfCancellationRequested();
            var path = Path.Combine(root, name);
            using var file = Posix.OpenToSync(path);
            try
            {
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

    // Linux has dropped the pages of a file whose fsync failed: only the journal has them.
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
        [LoggerMessage(EventIds.CheckpointFailed, LogLevel.Error,
            "Checkpoint failed: {Reason}. "
            + "The journal retains all data, and the checkpoint will be retried. Check the system log (dmesg) for disk errors.")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(EventIds.CheckpointSucceededAgain, LogLevel.Information, "Checkpoint succeeded again")]
        public static partial void SucceededAgain(ILogger logger);

        [LoggerMessage(EventIds.FileRebuilt, LogLevel.Warning,
            "fsync failed for {File}; rebuilt from the journal. Check the system log (dmesg) for disk errors.")]
        public static partial void FileRebuilt(ILogger logger, string file);
    }
}
