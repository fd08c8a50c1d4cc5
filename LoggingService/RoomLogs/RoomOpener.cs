using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.Metrics;

namespace LoggingService.RoomLogs;

/// <summary>The work for one room that may be slow: opening, closing and repairing its log. Runs in the background.</summary>
internal sealed class RoomOpener(string root, TimeZoneInfo zone, Parking parking, ErasureMarks marks, ILogger logger)
{
    private const int Batch = 1_000;

    /// <summary>Receives the lines of each append, also those of the writer; of one room in order.</summary>
    public Action<IReadOnlyList<LoggedLine>> Written { private get; set; } = static _ => { };

    /// <summary>Opens a room's log for a day. Files that a crash or another program left inconsistent are repaired first.</summary>
    /// <param name="previous">The room's log of another day, if one is open: it is synced and closed.</param>
    /// <exception cref="FileChangedException">Another program changed the files of the previous log.</exception>
    /// <exception cref="SyncFailedException">An fsync of the previous log failed.</exception>
    public DayLog Open(string roomId, DateOnly day, DayLog? previous)
    {
        KnownEvents? known = null;
        if (previous is RoomLog log)
        {
            SyncUnchanged(log);
            CompressedDay.Restore(FolderOf(roomId), day);
            known = log.MoveTo(day);
        }
        else if (previous is not null)
        {
            Close(previous);
        }

        if (roomId == RoomEntry.Quarantine)
        {
            return Quarantine.Open(root, day);
        }

        var folder = FolderOf(roomId);
        if (known is null)
        {
            CompressedDay.Restore(folder, day);
            known = KnownEvents.Open(folder.Path, day);
        }

        return known.TextMatches || DayRepair.IsConsistent(folder, day)
            ? RoomLog.Open(folder, day, known)
            : new RoomRepair(folder, [], hasSyncFailed: false).Run(day, day);
    }

    /// <summary>Closes a log: its lines are synced first.</summary>
    /// <exception cref="FileChangedException">Another program changed the files: the room must be repaired.</exception>
    /// <exception cref="SyncFailedException">An fsync failed: the room must be repaired.</exception>
    public static void Close(DayLog log)
    {
        using (log)
        {
            SyncUnchanged(log);
            log.Save();
        }
    }

    /// <summary>Repairs a room's files, and appends its entries (<see cref="RoomRepair"/>).</summary>
    public DayLog Repair(Room room, DateOnly day, DateOnly unsyncedDay, IEnumerable<RoomEntry> entries, bool hasSyncFailed)
    {
        if (room.RoomId == RoomEntry.Quarantine)
        {
            return Append(room, null, entries) ?? Quarantine.Open(root, day);
        }

        var log = new RoomRepair(FolderOf(room.RoomId), entries, hasSyncFailed).Run(day, unsyncedDay);
        return Append(room, log, entries)!;
    }

    /// <summary>Appends entries that may belong to several days. Those whose lines were passed on before are not passed on again.</summary>
    /// <param name="log">The open log; closed where the first entry belongs to another day.</param>
    /// <returns>The log of the last entry's day.</returns>
    public DayLog? Append(Room room, DayLog? log, IEnumerable<RoomEntry> entries)
    {
        try
        {
            foreach (var batch in Batches(entries, room.RaisedThrough))
            {
                if (log?.Day != batch[0].Day)
                {
                    log = Open(room.RoomId, batch[0].Day, log);
                }

                var lines = log.Append(batch, isReplay: true);
                if (batch[0].Sequence > room.RaisedThrough)
                {
                    Raise(room, batch, lines);
                }
            }

            return log;
        }
        catch
        {
            log?.Dispose();
            throw;
        }
    }

    /// <summary>Passes on the lines of an append, and counts them: once, also where a repair fails later and is repeated.</summary>
    public void Raise(Room room, IReadOnlyList<RoomEntry> entries, IReadOnlyList<LoggedLine> lines)
    {
        room.RaisedThrough = entries[^1].Sequence;
        if (room.RoomId == RoomEntry.Quarantine)
        {
            return;
        }

        ServiceMetrics.RecordDuplicates(entries.Count - lines.Count);
        if (lines.Count > 0)
        {
            ServiceMetrics.RecordLines(lines.Count, lines[^1].Event);
            Written(lines);
        }
    }

    /// <summary>A room's entries, the parked ones first.</summary>
    public IEnumerable<RoomEntry> Read(string roomId, JournalRange range, long from)
    {
        var last = 0L;
        foreach (var frame in parking.Read(roomId).Where(frame => frame.Sequence >= from))
        {
            last = frame.Sequence;
            foreach (var entry in RoomEntry.Of(frame))
            {
                yield return entry;
            }
        }

        foreach (var frame in range.Frames(notBefore: last + 1))
        {
            foreach (var entry in RoomEntry.Of(frame).Where(entry => entry.RoomId == roomId))
            {
                yield return entry;
            }
        }
    }

    /// <summary>Whether writing into the log directory fails, too: then a failure is not the room's, but the whole disk's.</summary>
    public bool IsDiskFailing()
    {
        var probe = Path.Combine(root, ".probe");
        try
        {
            using var file = Posix.OpenOrCreate(probe);
            File.Delete(probe);
            RandomAccess.Write(file, new byte[JournalFrame.Block], 0);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Syncs a log that will be closed; where that fails it is closed at once.</summary>
    private static void SyncUnchanged(DayLog log)
    {
        try
        {
            if (!log.IsUnchanged())
            {
                throw new FileChangedException($"A file of {log.Day:yyyy-MM-dd}");
            }

            log.Sync();
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Splits entries where the day changes, and behind one. A frame's entries of a day stay together.</summary>
    private static IEnumerable<List<RoomEntry>> Batches(IEnumerable<RoomEntry> entries, long behind)
    {
        var batch = new List<RoomEntry>();
        foreach (var entry in entries)
        {
            if ((batch.Count >= Batch && batch[^1].Sequence != entry.Sequence)
                || (batch.Count > 0 && (batch[0].Day != entry.Day || (batch[0].Sequence <= behind && entry.Sequence > behind))))
            {
                yield return batch;
                batch = [];
            }

            batch.Add(entry);
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private RoomFolder FolderOf(string roomId) => new(root, roomId, zone, logger) { ErasedUntil = marks.Until(roomId) };
}
