using System.Collections.Concurrent;
using System.Diagnostics;
using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.Metrics;

namespace LoggingService.RoomLogs;

/// <summary>
/// Syncs the rooms' files and drops the segments of the journal that they make redundant. At a position that the writer has passed, every
/// file with unsynced lines is synced, or the entries of its room are copied to parked segments; then the segments before the position are
/// dropped. There is no bookmark: the oldest remaining segment is the position.
/// </summary>
internal sealed partial class Checkpoint(
    string root, WriteAheadJournal journal, Parking parking, RoomLogWriter writer, RoomFaults faults, RoomLogCache cache, ILogger logger)
{
    /// <summary>After this time the room of a file is parked.</summary>
    private static readonly TimeSpan SyncTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The file system commits several at once.</summary>
    private const int ParallelSyncs = 4;

    private readonly SemaphoreSlim _running = new(1, 1);
    private bool _isFailing;

    /// <summary>Runs a checkpoint, after one that is running. A failure is logged once, until one succeeds.</summary>
    /// <param name="roll">Ends the current segment first, so that all entries before this call can leave the journal.</param>
    /// <param name="copiesWaiting">
    /// Copies also the entries of rooms that wait for their log to be opened. Otherwise the journal keeps the segments that have them:
    /// where thousands of rooms wait, copies of each would take the disk's time, and an open file each.
    /// </param>
    /// <returns>False if it failed: the journal keeps its segments.</returns>
    public async Task<bool> TryRunAsync(bool roll, bool copiesWaiting)
    {
        await _running.WaitAsync();
        var startedAt = Stopwatch.GetTimestamp();
        try
        {
            await RunAsync(roll, copiesWaiting);
            if (_isFailing)
            {
                Log.SucceededAgain(logger);
            }

            _isFailing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Disposed: the journal was restarted meanwhile.
            if (!_isFailing)
            {
                Log.Failed(logger, e.Message);
            }

            _isFailing = true;
        }
        finally
        {
            _running.Release();
            ServiceMetrics.RecordCheckpoint(!_isFailing, startedAt);
        }

        return !_isFailing;
    }

    /// <summary>Whether a checkpoint that does not copy the entries of waiting rooms would drop a segment.</summary>
    public Task<bool> CanDropAsync() => writer.InTurnAsync(() => journal.OldestSealed < FirstOfWaiting());

    /// <summary>Runs an action while no checkpoint runs.</summary>
    public async Task<T> ExclusiveAsync<T>(Func<Task<T>> action)
    {
        await _running.WaitAsync();
        try
        {
            return await action();
        }
        finally
        {
            _running.Release();
        }
    }

    private async Task RunAsync(bool roll, bool copiesWaiting)
    {
        var generation = journal.Generation;
        if (roll)
        {
            journal.Roll();
        }

        var (position, unsynced) = await writer.InTurnAsync(Begin);
        var synced = new ConcurrentBag<(Room Room, DayLog Log)>();
        await Parallel.ForEachAsync(unsynced, new ParallelOptions { MaxDegreeOfParallelism = ParallelSyncs }, async (item, _) =>
        {
            try
            {
                await Task.Run(item.Log.Sync, CancellationToken.None).WaitAsync(SyncTimeout, CancellationToken.None);
                synced.Add(item);
            }
            catch (ObjectDisposedException)
            {
                // Closed meanwhile, after an error or for another day: its entries stay unsynced.
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                await writer.InTurnAsync(() => Park(item.Room, item.Log, e));
            }
        });

        Posix.Sync(root);
        var redundant = await writer.InTurnAsync(() => End(synced));
        foreach (var room in redundant)
        {
            parking.Drop(room.RoomId);
            await writer.InTurnAsync(() => Unpark(room));
        }

        if (journal.OldestSealed is not null)
        {
            var through = await CopyParkedAsync(position, generation, copiesWaiting);
            Posix.Sync(root);
            journal.DropThrough(through, generation);
        }
    }

    private (long Position, List<(Room Room, DayLog Log)> Unsynced) Begin()
    {
        var unsynced = new List<(Room, DayLog)>();
        foreach (var room in cache.Rooms)
        {
            if (room is { From: not null, Log: { } log } && faults.IsUnchanged(room))
            {
                room.SyncingFrom = room.From;
                room.UnsyncedFrom = null;
                unsynced.Add((room, log));
            }
        }

        return (writer.Position, unsynced);
    }

    private void Park(Room room, DayLog log, Exception reason)
    {
        if (reason is SyncFailedException)
        {
            // Also where the log was closed meanwhile after a failed append: the repair must not trust the file.
            room.HasSyncFailed = true;
            room.ChangedFrom = null;
        }

        if (room.Log == log)
        {
            room.ChangedFrom = null;
            faults.Park(room, reason);
        }
    }

    /// <summary>Takes over what was synced; returns the rooms whose parked segments are redundant.</summary>
    private List<Room> End(IEnumerable<(Room Room, DayLog Log)> synced)
    {
        foreach (var (room, log) in synced.Where(item => item.Room.Log == item.Log))
        {
            room.SyncingFrom = null;
        }

        // The log of the others was closed meanwhile: after an error, or for a day that follows.
        foreach (var room in cache.Rooms.Where(room => room.SyncingFrom is not null))
        {
            room.UnsyncedFrom = room.SyncingFrom;
            room.SyncingFrom = null;
        }

        return
        [
            .. cache.Rooms.Where(room => room is { ParkedThrough: > 0, BusySince: null, RepairAt: null }
                && !(room.From <= room.ParkedThrough)),
        ];
    }

    private void Unpark(Room room)
    {
        room.ParkedThrough = 0;
        cache.RemoveIfIdle(room);
    }

    /// <summary>Copies the entries that segments are about to drop, and that are not synced into their room's files.</summary>
    /// <returns>The last entry that may be dropped.</returns>
    private async Task<long> CopyParkedAsync(long position, int generation, bool copiesWaiting)
    {
        var (through, unsynced) = await writer.InTurnAsync(() => FindUnsynced(position, copiesWaiting));
        if (unsynced.Count == 0)
        {
            return through;
        }

        using (var range = journal.Read(unsynced.Values.Min(), through))
        {
            parking.Copy(range.Frames(), unsynced);
        }

        await writer.InTurnAsync(() =>
        {
            // In a journal that was restarted meanwhile the entries are needed again.
            if (generation != journal.Generation)
            {
                return;
            }

            foreach (var roomId in unsynced.Keys)
            {
                cache.GetOrAdd(roomId).ParkedThrough = through;
            }
        });
        return through;
    }

    /// <summary>Returns the last entry that may be dropped, and for each room the first of those before it that must be copied.</summary>
    private (long Through, Dictionary<string, long> Rooms) FindUnsynced(long position, bool copiesWaiting)
    {
        var through = copiesWaiting ? position : Math.Min(position, FirstOfWaiting() - 1);
        var rooms = cache.Rooms.Where(room => room.NotCopiedFrom <= through)
            .ToDictionary(room => room.RoomId, room => room.NotCopiedFrom!.Value);
        return (through, rooms);
    }

    /// <summary>The oldest entry of a room whose log will soon have it.</summary>
    private long FirstOfWaiting() => cache.IsStuck
        ? long.MaxValue
        : cache.Rooms.Where(room => room.IsWaiting).Min(room => room.NotCopiedFrom) ?? long.MaxValue;

    private static partial class Log
    {
        [LoggerMessage(EventIds.CheckpointFailed, LogLevel.Error,
            "Checkpoint failed: {Reason}. The journal retains all data, and the checkpoint will be retried. "
            + "Check the system log (dmesg) for disk errors.")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(EventIds.CheckpointSucceededAgain, LogLevel.Information, "Checkpoint succeeded again")]
        public static partial void SucceededAgain(ILogger logger);
    }
}
