using System.Diagnostics;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Writes entries to the rooms' logs, for the <see cref="RoomLogWriter"/> and in its turn. What is slow for one room, such as opening its
/// log, runs in the background, while the room's entries wait. What fails is <see cref="RoomFaults"/>'.
/// </summary>
internal sealed class RoomDispatcher
{
    private static readonly TimeSpan SaveTimeout = TimeSpan.FromSeconds(1);
    private const int MaxThreads = 8;
    private readonly RoomLogWriter _writer;
    private readonly RoomLogCache _cache;
    private readonly RoomOpener _opener;
    private readonly RoomFaults _faults;
    private readonly TaskScheduler _scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, MaxThreads).ConcurrentScheduler;
    private readonly Queue<Room> _waitingForSlot = new();
    private readonly List<TaskCompletionSource> _waitingForQuiet = [];

    public RoomDispatcher(RoomLogWriter writer, RoomLogCache cache, RoomOpener opener, RoomFaults faults)
    {
        _writer = writer;
        _cache = cache;
        _opener = opener;
        _faults = faults;
        faults.StartWork = StartWork;
    }

    private bool IsQuiet => _cache.Busy == 0 && _waitingForSlot.Count == 0;

    public Room GetOrAdd(string roomId) => _cache.GetOrAdd(roomId);

    /// <summary>Appends entries to a room's log, or keeps them until its log is open.</summary>
    /// <param name="entries">The caller may reuse the list afterwards.</param>
    public void Write(Room room, List<RoomEntry> entries)
    {
        entries.ForEach(room.AddUnsynced);
        if (room.BusySince is not null || room.HeldFrom is not null)
        {
            room.Hold(entries);
            return;
        }

        if (room.RepairAt is not null)
        {
            return;
        }

        while (entries.Count > 0)
        {
            if (room.Log?.Day != entries[0].Day)
            {
                room.Hold(entries);
                StartOpen(room);
                return;
            }

            var end = entries.FindIndex(entry => entry.Day != room.Log.Day);
            if (!TryAppend(room, end < 0 ? entries : entries[..end]))
            {
                return;
            }

            entries = end < 0 ? [] : entries[end..];
        }
    }

    /// <summary>Saves the known ids of the open logs, as many as a stop has time for; the next start rebuilds the others.</summary>
    public void SaveAll()
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var room in _cache.Rooms.TakeWhile(_ => Stopwatch.GetElapsedTime(started) < SaveTimeout))
        {
            room.Log?.Save();
        }
    }

    /// <summary>Closes the logs of days before a day.</summary>
    public Task CloseDaysBeforeAsync(DateOnly day)
    {
        foreach (var room in _cache.Rooms.Where(room => room.Log?.Day < day).ToList())
        {
            StartClose(room);
        }

        return WhenQuietAsync();
    }

    /// <summary>Whether a day's files of a room may be written: they are open or unsynced, or work runs or waits for the room.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    public bool MayWrite(string folder, DateOnly day) => _cache.Rooms.Any(room =>
        (room.Log?.Day == day || room.BusySince is not null || room.RepairAt is not null || room.ParkedThrough > 0
            || (room.From is not null && room.UnsyncedDay <= day))
        && room.RoomId != RoomEntry.Quarantine
        && FolderName.ForRoom(room.RoomId) == folder);

    /// <summary>
    /// Starts work on the files of a room whose log is closed: its entries wait meanwhile. <c>null</c> if it must be tried again, because
    /// other work runs or waits for the room.
    /// </summary>
    /// <param name="roomId"><see cref="RoomEntry.Quarantine"/> for the quarantine.</param>
    public Task? TryRunClosed(string roomId, Action work)
    {
        var room = _cache.GetOrAdd(roomId);
        if (room is not { BusySince: null, RepairAt: null, HeldFrom: null, HasSyncFailed: false }
            || (room.Log is null && room.From is not null))
        {
            return null;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = _cache.Detach(room);
        StartWork(room, () =>
        {
            var isClosed = log is null;
            try
            {
                if (log is not null)
                {
                    RoomOpener.Close(log);
                    isClosed = true;
                }

                work();
                done.SetResult();
                return null;
            }
            catch (Exception e)
            {
                done.SetException(e);
                if (isClosed)
                {
                    return null;
                }

                throw;
            }
        });
        return done.Task;
    }

    /// <summary>Whether a room's files may lack lines that were written, or entries wait for them.</summary>
    public bool IsPending(string roomId)
    {
        var room = _cache.GetOrAdd(roomId);
        var isPending = room is not { BusySince: null, RepairAt: null, HeldFrom: null };
        _cache.RemoveIfIdle(room);
        return isPending;
    }

    /// <summary>Runs a short action at once if no work runs for a room; returns whether it ran and succeeded.</summary>
    public bool TryRunIdle(string roomId, Func<bool> action)
    {
        var room = _cache.GetOrAdd(roomId);
        var isIdle = room.BusySince is null;
        var hasSucceeded = isIdle && action();
        _cache.RemoveIfIdle(room);
        return hasSucceeded;
    }

    /// <summary>
    /// Completes when no work runs in the background: what was handed over is in the files, except for rooms that wait for a repair.
    /// </summary>
    public Task WhenQuietAsync()
    {
        if (IsQuiet)
        {
            return Task.CompletedTask;
        }

        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waitingForQuiet.Add(waiting);
        return waiting.Task;
    }

    private bool TryAppend(Room room, List<RoomEntry> entries)
    {
        try
        {
            var lines = room.Log!.Append(entries);
            _cache.Touch(room);
            _opener.Raise(room, entries, lines);
            return true;
        }
#pragma warning disable CA1031 // Also a bug must not stop the writer: the room is parked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _faults.Fail(room, e, entries[0].Sequence);
            return false;
        }
    }

    private void StartOpen(Room room)
    {
        if (room.Log is null && !_cache.HasFreeSlot)
        {
            if (!_cache.CanReplace || _cache.Victim is not { } victim)
            {
                _waitingForSlot.Enqueue(room);
                return;
            }

            StartClose(victim);
        }

        var previous = _cache.Detach(room);
        var day = room.HeldDay;
        StartWork(room, () => _opener.Open(room.RoomId, day, previous));
    }

    /// <summary>Closes a log to open another one; its lines are synced first.</summary>
    private void StartClose(Room room)
    {
        var log = _cache.Detach(room)!;
        StartWork(room, () =>
        {
            RoomOpener.Close(log);
            return null;
        });
    }

    /// <summary>Starts work for a room that has none, on one of a few threads; its entries are held meanwhile.</summary>
    /// <param name="work">Returns the log that it opened; <c>null</c> where it closed one.</param>
    private void StartWork(Room room, Func<DayLog?> work)
    {
        _cache.StartWork(room);
        Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scheduler)
            .ContinueWith(task => _writer.Post(() => EndWork(room, task)), TaskScheduler.Default);

        DayLog? Run()
        {
            room.StartedAt = Stopwatch.GetTimestamp();
            return work();
        }
    }

    private void EndWork(Room room, Task<DayLog?> work)
    {
        _cache.EndWork(room);
        if (work.Exception?.InnerException is { } error)
        {
            room.HasSyncFailed |= room.IsReplacingFiles || error is SyncFailedException;
            _faults.Fail(room, error, from: null);
        }
        else
        {
            _faults.Repaired(room);
            Take(room, work.Result);
        }

        if (_waitingForSlot.TryDequeue(out var next))
        {
            StartOpen(next);
        }

        if (IsQuiet)
        {
            _waitingForQuiet.ForEach(waiting => waiting.SetResult());
            _waitingForQuiet.Clear();
        }
    }

    /// <summary>Takes over an open log, or that the log was synced and closed.</summary>
    private void Take(Room room, DayLog? log)
    {
        if (room.HasSyncFailed)
        {
            // An fsync failed meanwhile.
            log?.Dispose();
            _faults.StartRepair(room);
        }
        else if (log is null)
        {
            room.SyncingFrom = null;
            room.UnsyncedFrom = room.HeldFrom;
            _cache.RemoveIfIdle(room);
            if (room.HeldFrom is not null)
            {
                StartOpen(room);
            }
        }
        else if (room.HasOverflowed)
        {
            _faults.StartCatchUp(room, log);
        }
        else
        {
            _cache.Open(room, log);
            var held = room.TakeHeld();
            if (held.Count > 0)
            {
                Write(room, held);
            }
        }
    }
}
