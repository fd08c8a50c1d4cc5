using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.Upgrade;

namespace LoggingService.RoomLogs;

/// <summary>
/// <c>logs/</c>. The journal makes a transaction durable, the writer moves it into the rooms' files, a checkpoint syncs those and drops the
/// journal's segments.
/// </summary>
internal sealed partial class LogDirectory : IDisposable
{
    private static readonly TimeSpan MaxUnsyncedAge = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _time;
    private readonly ILogger<LogDirectory> _logger;
    private readonly WriteAheadJournal _journal;
    private readonly Parking _parking;
    private readonly RoomLogCache _cache = new(OpenFileLimit.ForRooms);
    private readonly RoomLogWriter _writer = new();
    private readonly RoomDispatcher _rooms;
    private readonly Checkpoint _checkpoint;
    private long _unsyncedSince;
    private long _lastAppend;
    private bool _isCheckpointNeeded;
    private JournalReplay? _replay;

    /// <summary>Opens the log directory, created if necessary, and locks it for this process.</summary>
    /// <exception cref="FatalException">It is not writable, another service writes to it, or a newer version wrote it.</exception>
    public LogDirectory(string root, TimeProvider time, ILogger<LogDirectory> logger)
    {
        Root = root;
        _time = time;
        _logger = logger;
        _journal = new(root, time);
        _parking = new(root);
        Guard = new(root, _journal, _parking, _writer, _cache, logger);
        FormatFile.Check(root);
        Marks = new(root);
        Removed = new(root, time);
        var opener = new RoomOpener(root, time.LocalTimeZone, _parking, Marks, logger);
        Faults = new(_journal, _writer, opener, _cache, logger);
        _rooms = new(_writer, _cache, opener, Faults);
        _checkpoint = new(root, _journal, _parking, _writer, Faults, _cache, logger);
        Rewriting = new(_writer, _rooms, Faults, _parking, _checkpoint, _journal);
        _journal.VerifyRoot = Guard.Verify;
        _journal.Committed = _writer.Enqueue;
        _writer.Rooms = _rooms;
        _writer.Faults = Faults;
        Faults.CheckpointNeeded = () => _isCheckpointNeeded = true;
        opener.Written = lines => Written?.Invoke(lines);
    }

    /// <summary>Raised for the lines of each append by the writer, or by a repair in the background; for one room in order.</summary>
    public event Action<IReadOnlyList<LoggedLine>>? Written;

    /// <summary>Raised after old days were removed, and rooms without a day with their links.</summary>
    public event Action? OldDaysRemoved;

    public string Root { get; }

    /// <summary>Creates the directory again when it was moved or removed.</summary>
    public LogDirectoryGuard Guard { get; }

    public RoomFaults Faults { get; }

    public ErasureMarks Marks { get; }

    public RemovedDays Removed { get; }

    /// <summary>Replaces files of rooms, for erasures.</summary>
    public LogRewriting Rewriting { get; }

    /// <summary>Counted once a second.</summary>
    public RoomCounts RoomCounts => _cache.Counts;

    /// <summary>How many frames of the journal the start has read; it may read a frame again.</summary>
    public long ReplayedFrames => Volatile.Read(ref _replay)?.FramesRead ?? 0;

    /// <summary>As <see cref="JournalReplay.NotLogged"/>, of the start: the lines may not be written yet.</summary>
    public IReadOnlyDictionary<string, Dictionary<string, bool>> ReplayedNotLogged => _replay?.NotLogged ?? [];

    /// <summary>What is acknowledged and not yet in the rooms' files.</summary>
    public Backlog Backlog => new(_journal.Size, _writer.OldestAge);

    /// <summary>Reads what an earlier process left in the journal, and starts the writer, which repairs the rooms meanwhile.</summary>
    public void Start()
    {
        try
        {
            // Writes of a killed process may not be on the disk yet.
            Posix.SyncFileSystem(Root);
        }
        catch (IOException)
        {
            // Any file of the file system; what the journal has is written and synced again.
        }

        JournalUpgrade.Run(Root, KeepDamaged, _logger);
        var replay = new JournalReplay(_journal, _parking, _cache, KeepDamaged);
        Volatile.Write(ref _replay, replay);
        replay.Read();
        _writer.Start(_journal.LastSequence);
        foreach (var (room, entries) in replay.Repairs())
        {
            _writer.Post(() => Faults.StartRepair(room, entries));
        }

        if (replay.RoomCount > 0)
        {
            Log.Replayed(_logger, replay.RoomCount);
            _isCheckpointNeeded = true;
        }
    }

    /// <summary>Makes a transaction durable; the writer follows. A disconnecting caller cancels nothing.</summary>
    /// <param name="events">Events of logged rooms, and notes.</param>
    /// <exception cref="IOException">The journal can't be written: the homeserver must retry.</exception>
    public Task AppendAsync(IReadOnlyList<RoomEvent> events, IReadOnlyList<Unloggable> unloggable, string transactionId)
    {
        var entries = new List<JournalEntry>(events.Count + unloggable.Count);
        foreach (var e in events)
        {
            entries.Add(new(e.IsNote ? JournalEntryKind.Note : JournalEntryKind.Event, 0, default, e.Json.Bytes) { Event = e });
        }

        foreach (var (reason, bytes, isJson) in unloggable)
        {
            entries.Add(
                new(JournalEntryKind.Unloggable, 0, default, bytes) { Reason = reason, TransactionId = transactionId, IsJson = isJson });
        }

        return AppendAsync(entries);
    }

    /// <summary>As above, for entries, which are durable all or none.</summary>
    public async Task AppendAsync(IReadOnlyList<JournalEntry> entries)
    {
        if (entries.Count == 0)
        {
            return;
        }

        try
        {
            await _journal.AppendAsync(entries);
            _lastAppend = _time.GetTimestamp();
            Interlocked.CompareExchange(ref _unsyncedSince, _lastAppend, 0);
        }
        catch
        {
            _isCheckpointNeeded = true;
            throw;
        }
    }

    /// <summary>Whether commits to the journal go on. A commit that fails is progress, too: the homeserver gets an answer.</summary>
    public ProgressProbe ProbeJournal() => new(() => Task.Run(_journal.Verify), () => _journal.LastSequence);

    /// <summary>Whether the writer goes on. While the disk fails, its retries are progress.</summary>
    public ProgressProbe ProbeWriter() => new(() => _writer.InTurnAtOnceAsync(static () => { }), () => _writer.Position);

    /// <summary>Completes when what is durable now is in the rooms' files, except for parked rooms.</summary>
    public async Task CaughtUpAsync() => await await _writer.InTurnAsync(_rooms.WhenQuietAsync);

    /// <summary>The last event of a room that an earlier process, or this one, logged; <c>null</c> if there is none.</summary>
    public RoomEvent? FindLast(string roomId) =>
        _replay?.LastEvents.TryRemove(roomId, out var e) == true ? e : RoomRecords.FindLast(Root, roomId);

    /// <summary>Retries what failed, and runs a checkpoint if one is due. To be called once a second.</summary>
    public async Task TickAsync()
    {
        _writer.Post(Faults.Tick);
        var isOld = _unsyncedSince != 0
            && (_time.GetElapsedTime(_unsyncedSince) >= MaxUnsyncedAge || _time.GetElapsedTime(_lastAppend) >= Idle);
        var rolls = isOld || _isCheckpointNeeded;
        if (rolls || (_journal.OldestSealed is not null && await _checkpoint.CanDropAsync()))
        {
            await CheckpointAsync(rolls, copiesWaiting: false);
        }
    }

    /// <summary>Makes all entries so far leave the journal: they are synced, or copied. False if it failed: it is retried.</summary>
    public Task<bool> EmptyJournalAsync() => CheckpointAsync(rolls: true, copiesWaiting: true);

    /// <param name="setting">For the message.</param>
    /// <param name="folder">The name of a room's folder; <c>null</c> for all rooms and the quarantine.</param>
    public async Task RemoveDaysBeforeAsync(DateOnly keepFrom, string setting, string? folder = null)
    {
        // A log that is open saves its known ids, which outlive the record.
        await await _writer.InTurnAsync(() => _rooms.CloseDaysBeforeAsync(keepFrom));
        var removed = await Rewriting.ExclusiveAsync(() => Removed.RemoveDaysBefore(keepFrom, folder));
        if (removed > 0)
        {
            Log.OldDaysRemoved(_logger, removed, keepFrom, setting);
            OldDaysRemoved?.Invoke();
        }
    }

    /// <summary>Runs an action in the writer's turn, unless a day's files of a room may be written; returns whether it ran.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    public Task<bool> RunUnlessWrittenAsync(string folder, DateOnly day, Action action) => _writer.InTurnAsync(() =>
    {
        var isFree = !_rooms.MayWrite(folder, day);
        if (isFree)
        {
            action();
        }

        return isFree;
    });

    /// <summary>Writes what is durable, runs a last checkpoint, and saves the known ids. Nothing must be appended anymore.</summary>
    public async Task StopAsync()
    {
        await CatchUpAndEmptyAsync();
        if (_isCheckpointNeeded)
        {
            // It failed, or found files that another program changed: these are repaired first.
            await CatchUpAndEmptyAsync();
        }

        await _writer.InTurnAsync(_rooms.SaveAll);
        _writer.Stop();
    }

    /// <summary>Closes the files and releases the lock. The next start replays what no checkpoint has synced.</summary>
    public void Dispose()
    {
        _writer.Stop();
        _journal.Dispose();
        _parking.Dispose();
        foreach (var room in _cache.Rooms)
        {
            room.Log?.Dispose();
        }

        Guard.Dispose();
    }

    private async Task CatchUpAndEmptyAsync()
    {
        try
        {
            await CaughtUpAsync().WaitAsync(DrainTimeout);
        }
        catch (TimeoutException)
        {
            // The next start replays the journal.
        }

        await EmptyJournalAsync();
    }

    private async Task<bool> CheckpointAsync(bool rolls, bool copiesWaiting)
    {
        _unsyncedSince = 0;
        _isCheckpointNeeded = false;
        var hasSucceeded = await _checkpoint.TryRunAsync(rolls, copiesWaiting);
        _isCheckpointNeeded |= !hasSucceeded;
        return hasSucceeded;
    }

    private void KeepDamaged(DamagedBytes damage)
    {
        if (damage.Bytes.Length > 0)
        {
            Log.JournalDamaged(_logger, damage.Path, damage.Offset, damage.Bytes.Length);
            try
            {
                Quarantine.KeepDamaged(Root, damage.Bytes);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A full disk must not end each start: the segment keeps the bytes.
                _journal.Keep(damage.Path);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JournalReplayCompleted, LogLevel.Information,
            "Journal replay after an unclean shutdown: repairing the logs of {RoomCount} rooms")]
        public static partial void Replayed(ILogger logger, int roomCount);

        [LoggerMessage(EventIds.JournalDamaged, LogLevel.Error,
            "Journal segment {Segment} is damaged at byte {Offset}: the disk lost data. Moved {Bytes} bytes to the quarantine; "
            + "the rest was replayed.")]
        public static partial void JournalDamaged(ILogger logger, string segment, long offset, int bytes);

        [LoggerMessage(EventIds.OldDaysRemoved, LogLevel.Information,
            "Removed {FileCount} files of days before {KeepFrom:yyyy-MM-dd} ({Setting})")]
        public static partial void OldDaysRemoved(ILogger logger, int fileCount, DateOnly keepFrom, string setting);
    }
}
