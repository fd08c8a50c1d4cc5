using System.Collections.Concurrent;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary><c>logs/</c>: the only writer of the room logs. Waiting transactions form one atomic batch (group commit).</summary>
internal sealed partial class LogDirectory : IDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger<LogDirectory> _logger;
    private readonly FileStream _lock;
    private readonly Journal _journal;
    private readonly Checkpoint _checkpoint;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentQueue<Waiting> _waiting = new();
    private readonly OpenRooms _rooms;
    private readonly TouchedFiles _touched;
    private bool _isRecovered;

    /// <summary>Opens the log directory, created if necessary, and locks it for this process.</summary>
    /// <exception cref="Options.ConfigurationException">It is not writable, or another service is writing to it.</exception>
    public LogDirectory(string root, TimeProvider time, ILogger<LogDirectory> logger)
    {
        Root = root;
        _time = time;
        _logger = logger;
        _lock = LogLock.Take(root);
        _journal = new(root);
        _rooms = new(root, time, logger);
        _checkpoint = new(root, _journal, _gate, _rooms.CloseRoomOf, logger);
        _touched = new(_rooms, _journal, _checkpoint, logger);
        LastCommit = time.GetTimestamp();
    }

    public string Root { get; }

    public long JournalSize => _journal.Size;

    public bool IsCheckpointOpen => _checkpoint.IsOpen;

    /// <summary>When a batch was last committed: a monotonic timestamp.</summary>
    public long LastCommit { get; private set; }

    /// <summary>
    /// Appends the events of a transaction, in order and without duplicates, to their rooms' logs, and the unloggable ones to
    /// the quarantine. When the task completes all of it is durable; when it fails nothing of it remains, and the caller may
    /// retry. Not cancelled by a disconnecting caller. Returns the new events with their lines.
    /// </summary>
    /// <exception cref="IOException">The disk is full or failed, or files were removed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory is not writable.</exception>
    public async Task<IReadOnlyList<WrittenLine>> CommitAsync(
        IReadOnlyList<RoomEvent> events, IReadOnlyList<Unloggable> unloggable, string transactionId)
    {
        var waiting = new Waiting(events, unloggable, transactionId);
        _waiting.Enqueue(waiting);
        await _gate.WaitAsync();
        try
        {
            // The first transaction to enter the gate commits all waiting ones.
            if (!waiting.Written.Task.IsCompleted)
            {
                CommitWaiting();
            }
        }
        finally
        {
            _gate.Release();
        }

        return await waiting.Written.Task;
    }

    public bool HasRoom(string roomId) => Directory.Exists(Path.Combine(Root, FolderName.ForRoom(roomId)));

    public string FolderOf(string localpart) => Path.Combine(Root, FolderName.ForAlias(localpart));

    /// <summary>Points the link of a confirmed alias of our own server to its room; returns false if it did already.</summary>
    /// <exception cref="IOException">The link can't be created.</exception>
    public bool Link(string localpart, string roomId)
    {
        var room = FolderName.ForRoom(roomId);
        Posix.CreateFolder(Path.Combine(Root, room));
        if (!SymbolicLink.Replace(FolderOf(localpart), room))
        {
            return false;
        }

        Posix.Sync(Root);
        return true;
    }

    /// <summary>Replays the journal, which must precede the first write. If it fails, the next transaction retries.</summary>
    public async Task<bool> TryRecoverAsync()
    {
        await _gate.WaitAsync();
        try
        {
            Recover();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.RecoveryFailed(_logger, e.Message);
            return false;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Syncs the rooms' files and empties the journal; logs a failure, and keeps in the journal what was not synced.</summary>
    public Task CheckpointAsync(CancellationToken stop) => _isRecovered ? _checkpoint.TryRunAsync(stop) : Task.CompletedTask;

    public async Task RemoveDaysBeforeAsync(DateOnly keepFrom)
    {
        await _gate.WaitAsync();
        try
        {
            var removed = Retention.RemoveDaysBefore(Root, keepFrom);
            if (removed > 0)
            {
                Log.Removed(_logger, removed, keepFrom);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Closes the files and releases the lock; the journal keeps what no checkpoint has synced.</summary>
    public void Dispose()
    {
        _rooms.Dispose();
        _journal.Dispose();
        _lock.Dispose();
    }

    private void CommitWaiting()
    {
        List<Waiting> together = [];
        while (_waiting.TryDequeue(out var waiting))
        {
            together.Add(waiting);
        }

        try
        {
            Recover();
            var receivedAt = _time.GetLocalNow();
            _touched.PutRight(
                together.SelectMany(waiting => waiting.Events).Select(e => e.RoomId).ToHashSet(),
                together.Exists(waiting => waiting.Unloggable.Count > 0),
                DateOnly.FromDateTime(receivedAt.DateTime));
            var written = Write(together, receivedAt);
            foreach (var (waiting, lines) in together.Zip(written))
            {
                waiting.Written.SetResult(lines);
            }
        }
#pragma warning disable CA1031 // All waiting callers must see the error.
        catch (Exception e)
#pragma warning restore CA1031
        {
            together.ForEach(waiting => waiting.Written.SetException(e));
        }
    }

    private List<List<WrittenLine>> Write(List<Waiting> together, DateTimeOffset receivedAt)
    {
        var written = new List<List<WrittenLine>>();
        using var batch = new Batch(_rooms, _journal, receivedAt);
        foreach (var (events, unloggable, transactionId) in together)
        {
            var lines = new List<WrittenLine>();
            foreach (var e in events)
            {
                if (batch.Append(e) is { } line)
                {
                    lines.Add(new(e, line.Time, line.Line));
                }
            }

            foreach (var what in unloggable)
            {
                batch.Append(what, transactionId);
            }

            written.Add(lines);
        }

        batch.Commit();
        LastCommit = _time.GetTimestamp();
        return written;
    }

    private void Recover()
    {
        if (!_isRecovered)
        {
            // The directory may be new, and writes of a killed process may not be on the disk yet.
            Posix.SyncFileSystem(Root);
            Recovery.Run(Root, _journal, _logger);
            _isRecovered = true;
        }
    }

    private sealed record Waiting(IReadOnlyList<RoomEvent> Events, IReadOnlyList<Unloggable> Unloggable, string TransactionId)
    {
        public TaskCompletionSource<IReadOnlyList<WrittenLine>> Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JournalReplayFailed, LogLevel.Error,
            "Journal replay failed: {Reason}. Nothing is lost, but nothing is logged until it succeeds; the homeserver will retry.")]
        public static partial void RecoveryFailed(ILogger logger, string reason);

        [LoggerMessage(EventIds.OldDaysRemoved, LogLevel.Information, "Removed {FileCount} files of days before {KeepFrom} (RetainDays)")]
        public static partial void Removed(ILogger logger, int fileCount, DateOnly keepFrom);
    }
}
