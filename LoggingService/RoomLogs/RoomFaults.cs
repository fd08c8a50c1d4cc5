using System.Diagnostics;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>
/// What happens to rooms whose files fail, in the writer's turn. A failure of the whole disk stalls the writer. Files that another program
/// changed are repaired from the last good stat. Any other failure is of one room: it is parked, and repaired later.
/// </summary>
internal sealed partial class RoomFaults(
    WriteAheadJournal journal, RoomLogWriter writer, RoomOpener opener, RoomLogCache cache, ILogger logger)
{
    private const int RetriesAtOnce = 3;

    /// <summary>
    /// Called where all entries so far must leave the journal soon: another program changed files, or a room has the events of its parked
    /// segments, which can be dropped.
    /// </summary>
    public Action CheckpointNeeded { private get; set; } = static () => { };

    /// <summary>Starts work for a room in the background.</summary>
    public Action<Room, Func<DayLog?>> StartWork { private get; set; } = null!;

    /// <summary>After a repair because of another program's change, the next one waits this long.</summary>
    public TimeSpan RepairInterval { private get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Failed repairs are retried at intervals that grow up to this.</summary>
    public TimeSpan MaxRetryDelay { private get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Nothing is written until <see cref="RetryDisk"/> finds that the log directory can be written again.</summary>
    public bool IsDiskFailing { get; private set; }

    /// <summary>How many repairs have begun, of all rooms.</summary>
    public long Repairs { get; private set; }

    /// <summary>
    /// Repairs a room in the background, from its oldest unsynced entry on, or from the last good stat where files changed.
    /// </summary>
    public void StartRepair(Room room, IReadOnlyList<RoomEntry>? entries = null)
    {
        Repairs++;
        var replacesFiles = room.HasSyncFailed;
        var day = room.Day;
        var unsyncedDay = room.From is null ? day : room.UnsyncedDay;
        room.IsReplacingFiles = replacesFiles;
        room.HasSyncFailed = false;
        room.RepairAt = null;

        // After a start more rooms may be repaired than can be open.
        var staysOpen = cache.HasFreeSlot;
        Start(room, room.ChangedFrom ?? room.From ?? long.MaxValue, journalled =>
        {
            var log = opener.Repair(room, day, unsyncedDay, entries ?? journalled, replacesFiles);
            if (staysOpen)
            {
                return log;
            }

            RoomOpener.Close(log);
            return null;
        });
    }

    /// <summary>Appends the entries that overflowed while a log was opened.</summary>
    public void StartCatchUp(Room room, DayLog log) =>
        Start(room, room.HeldFrom!.Value, entries => opener.Append(room, log, entries));

    /// <summary>Notes that a room's files are sound.</summary>
    public void Repaired(Room room)
    {
        if (room.Failures > 0)
        {
            Log.Unparked(logger, RoomEntry.NameOf(room.RoomId));
        }

        if (room.Failures > 0 || room.ParkedThrough > 0)
        {
            CheckpointNeeded();
        }

        room.Failures = 0;
        room.IsReplacingFiles = false;
        room.AppendingFrom = null;
        room.ChangedFrom = null;
        room.RaisedThrough = (room.HeldFrom ?? writer.Position + 1) - 1;
    }

    /// <summary>Leaves a room's entries to the journal until it is repaired. Retries at growing intervals.</summary>
    public void Park(Room room, Exception reason)
    {
        var delay = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, room.Failures), MaxRetryDelay.TotalSeconds));
        room.Failures++;
        if (room.Failures == 1)
        {
            Log.Parked(logger, RoomEntry.NameOf(room.RoomId), reason.Message);
        }

        LeaveToJournal(room, delay);
    }

    /// <summary>Starts the repairs that are due, and frees the memory of rooms that are slow. Called once a second.</summary>
    public void Tick()
    {
        if (IsDiskFailing)
        {
            RetryDisk();
            return;
        }

        foreach (var room in cache.Rooms.Where(room => room.BusySince is null && room.RepairAt <= Stopwatch.GetTimestamp()).ToList())
        {
            StartRepair(room);
        }

        foreach (var room in cache.Rooms.Where(room => room.HeldFrom is not null && !room.HasOverflowed))
        {
            if (room.IsSlow)
            {
                room.Overflow();
                Log.Slow(logger, RoomEntry.NameOf(room.RoomId));
            }
            else if (cache.IsStuck)
            {
                // It waits for others that are slow.
                room.Overflow();
            }
        }

        cache.Count();
    }

    /// <summary>Starts the repair of a parked room before it is due, unless it was just tried.</summary>
    public void RetryAtOnce(string roomId)
    {
        var room = cache.GetOrAdd(roomId);
        if (room is { BusySince: null, RepairAt: not null, Failures: <= RetriesAtOnce } && !IsDiskFailing)
        {
            StartRepair(room);
        }
        else
        {
            cache.RemoveIfIdle(room);
        }
    }

    /// <summary>
    /// Finds out whether the paths of an open log still lead to the files that were written: a sync through the open files is worth nothing
    /// otherwise. If not, the room is repaired. Called between rounds.
    /// </summary>
    public bool IsUnchanged(Room room)
    {
        try
        {
            if (room.Log!.IsUnchanged())
            {
                return true;
            }

            throw new FileChangedException(RoomEntry.NameOf(room.RoomId));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // All entries up to here were in the files at the last stat.
            Fail(room, e, writer.Position + 1);
            return false;
        }
    }

    /// <summary>Finds out whether the log directory can be written again.</summary>
    public void RetryDisk()
    {
        IsDiskFailing = opener.IsDiskFailing();
        if (!IsDiskFailing)
        {
            Log.DiskRecovered(logger);
            Tick();
        }
    }

    /// <summary>
    /// Handles a failure of a room's files: its log is closed, and its entries are left to the journal until it is repaired.
    /// </summary>
    /// <param name="from">The first entry behind the last good stat; <c>null</c> for work in the background, which knows it.</param>
    public void Fail(Room room, Exception e, long? from)
    {
        from ??= room.AppendingFrom ?? room.HeldFrom ?? writer.Position + 1;
        room.AppendingFrom = null;
        if (e is IOException or UnauthorizedAccessException && opener.IsDiskFailing())
        {
            if (!IsDiskFailing)
            {
                Log.DiskFailing(logger, e.Message);
            }

            IsDiskFailing = true;
            room.ChangedFrom = e is FileChangedException ? room.ChangedFrom ?? from : null;
            LeaveToJournal(room, TimeSpan.Zero);
        }
        else if (e is FileChangedException)
        {
            // What another program removed stays removed: only what was appended since the last good stat is appended again.
            Log.FilesChanged(logger, RoomEntry.NameOf(room.RoomId));
            room.ChangedFrom ??= from;
            var sinceRepair = room.ChangeRepairedAt is { } at ? Stopwatch.GetElapsedTime(at) : RepairInterval;
            LeaveToJournal(room, RepairInterval - sinceRepair);
            if (sinceRepair >= RepairInterval)
            {
                room.ChangeRepairedAt = Stopwatch.GetTimestamp();
                CheckpointNeeded();
                StartRepair(room);
            }
        }
        else
        {
            room.ChangedFrom = null;
            Park(room, e);
        }
    }

    /// <summary>Starts work that appends the entries from a sequence on, which need not be held.</summary>
    private void Start(Room room, long from, Func<IEnumerable<RoomEntry>, DayLog?> work)
    {
        var range = journal.Read(from, writer.Position);
        room.AppendingFrom = from;
        room.TakeHeld();
        StartWork(room, () =>
        {
            using (range)
            {
                return work(opener.Read(room.RoomId, range, from));
            }
        });
    }

    private void LeaveToJournal(Room room, TimeSpan retryAfter)
    {
        cache.Detach(room)?.Dispose();
        room.TakeHeld();
        room.RepairAt = Stopwatch.GetTimestamp() + (long)(retryAfter.TotalSeconds * Stopwatch.Frequency);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomParked, LogLevel.Error,
            "Failed to write the log of {RoomId}: {Reason}. Its events wait in the journal; the other rooms are logged, "
            + "and it is retried.")]
        public static partial void Parked(ILogger logger, string roomId, string reason);

        [LoggerMessage(EventIds.RoomUnparked, LogLevel.Information, "The log of {RoomId} is written again")]
        public static partial void Unparked(ILogger logger, string roomId);

        [LoggerMessage(EventIds.RoomSlow, LogLevel.Warning,
            "The log of {RoomId} takes more than 10 s to open. Its events wait in the journal; the other rooms are logged.")]
        public static partial void Slow(ILogger logger, string roomId);

        [LoggerMessage(EventIds.RoomFilesChanged, LogLevel.Warning, "Files of {RoomId} changed on disk; repairing them")]
        public static partial void FilesChanged(ILogger logger, string roomId);

        [LoggerMessage(EventIds.DiskFailing, LogLevel.Error,
            "Failed to write to the log directory: {Reason}. Events wait in the journal; the writer retries every second.")]
        public static partial void DiskFailing(ILogger logger, string reason);

        [LoggerMessage(EventIds.DiskRecovered, LogLevel.Information, "Writing to the log directory works again")]
        public static partial void DiskRecovered(ILogger logger);
    }
}
