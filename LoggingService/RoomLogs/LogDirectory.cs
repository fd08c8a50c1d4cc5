using System.Collections.Concurrent;
using LoggingService.Events;
using LoggingService.Files;
using LoggingService.Logging;

namespace LoggingService.RoomLogs;

/// <summary>
/// <c>logs/</c>: all rooms' logs, and the one place where they are written. Transactions that wait at the same time are
/// one batch, which is durable whole or not there at all.
/// </summary>
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
        (Root, _time, _logger) = (root, time, logger);
        _lock = LogLock.Take(root);
        _journal = new(root);
        _rooms = new(root, time, logger);
        _checkpoint = new(root, _journal, _gate, _rooms.CloseRoomOf, logger);
        _touched = new(_rooms, _journal, _checkpoint, logger);
        LastCommit = time.GetTimestamp();
    }

    /// <summary>Its absolute path.</summary>
    public string Root { get; }

    /// <summary>Bytes that the journal has since its last new segment, for whoever decides when a checkpoint is due.</summary>
    public long JournalSize => _journal.Size;

    /// <summary>Whether a checkpoint has to be tried again.</summary>
    public bool IsCheckpointOpen => _checkpoint.IsOpen;

    /// <summary>When something was last committed: a timestamp, which the clock of the day has no say in.</summary>
    public long LastCommit { get; private set; }

    /// <summary>
    /// Writes what was pushed: the events to their rooms' logs, in their order and without those that a log has already;
    /// what can't be logged to the quarantine. When the task ends well all of it is durable; when it fails nothing of it
    /// stayed, and it may be tried again. It is not cancelled because a caller hung up.
    /// </summary>
    /// <param name="events">Events of rooms that are logged.</param>
    /// <param name="unloggable">What goes to the quarantine.</param>
    /// <param name="transactionId">The transaction that they came with.</param>
    /// <returns>The events that are new, with the lines that people read.</returns>
    /// <exception cref="IOException">The disk is full or failed, or files were taken away.</exception>
    /// <exception cref="UnauthorizedAccessException">The service may not write there.</exception>
    public async Task<IReadOnlyList<WrittenLine>> CommitAsync(IReadOnlyList<RoomEvent> events, IReadOnlyList<Unloggable> unloggable, string transactionId)
    {
        var waiting = new Waiting(events, unloggable, transactionId);
        _waiting.Enqueue(waiting);
        await _gate.WaitAsync();
        try
        {
            // Whoever comes through the gate first writes for all who wait, itself among them.
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

    /// <summary>Whether there is a log of the room.</summary>
    public bool HasRoom(string roomId) => Directory.Exists(Path.Combine(Root, FolderName.ForRoom(roomId)));

    /// <summary>Where people find the log of an alias.</summary>
    /// <param name="localpart">What stands between the alias's <c>#</c> and its <c>:</c>.</param>
    public string FolderOf(string localpart) => Path.Combine(Root, FolderName.ForAlias(localpart));

    /// <summary>Makes an alias lead to its room, whatever it led to before.</summary>
    /// <param name="localpart">What stands between the alias's <c>#</c> and its <c>:</c>; of our own server, and confirmed by it.</param>
    /// <param name="roomId">The room; its folder is made if it isn't there.</param>
    /// <returns>False if it led there already.</returns>
    /// <exception cref="IOException">The link can't be made.</exception>
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

    /// <summary>Applies what the journal has since before the last stop; without that nothing is written.</summary>
    /// <returns>False if it couldn't be done now: it is tried again with the next transaction.</returns>
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

    /// <summary>Syncs the rooms' files and empties the journal; what it can't do stays in the journal, and is told in the log.</summary>
    /// <param name="stop">Ends it early.</param>
    public Task CheckpointAsync(CancellationToken stop) => _isRecovered ? _checkpoint.TryRunAsync(stop) : Task.CompletedTask;

    /// <summary>Removes the days before a day, of all rooms and of the quarantine.</summary>
    /// <param name="keepFrom">The first day that stays.</param>
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

    /// <summary>Lets go of the files and of the lock. What no checkpoint has synced is in the journal, for the next start.</summary>
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
            for (var i = 0; i < together.Count; i++)
            {
                together[i].Written.SetResult(written[i]);
            }
        }
#pragma warning disable CA1031 // Whatever went wrong, each of those who wait must be told.
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
        [LoggerMessage(EventId = EventIds.JournalReplayFailed, Level = LogLevel.Error, Message = "Journal replay failed: {Reason}. "
            + "Nothing is lost, but nothing is logged until it succeeds; the homeserver will retry.")]
        public static partial void RecoveryFailed(ILogger logger, string reason);

        [LoggerMessage(EventId = EventIds.OldDaysRemoved, Level = LogLevel.Information,
            Message = "Removed {FileCount} files of days before {KeepFrom} (RetainDays)")]
        public static partial void Removed(ILogger logger, int fileCount, DateOnly keepFrom);
    }
}
