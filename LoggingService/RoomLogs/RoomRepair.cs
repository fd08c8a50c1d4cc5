using System.IO.Hashing;
using System.Runtime.InteropServices;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Makes a room's files agree with the journal: after a crash, a failed append or fsync, a change by another program, and when a parked
/// room is retried. The lines of the entries are dropped from the records, with what is torn around them; the caller then appends the
/// entries. It may fail or be killed at any point, and is then repeated.
/// </summary>
/// <param name="entries">The room's entries that are not known to be synced, in journal order; enumerated several times.</param>
/// <param name="hasSyncFailed">An fsync failed: Linux forgot what was not written, so the files are replaced by new ones.</param>
internal sealed class RoomRepair(RoomFolder folder, IEnumerable<RoomEntry> entries, bool hasSyncFailed)
{
    /// <summary>Repairs the days of the entries, and opens the first of them.</summary>
    /// <param name="day">The day that is repaired and opened where there are no entries.</param>
    /// <param name="unsyncedDay">The oldest day with lines that are not known to be synced: they may be before the entries.</param>
    public RoomLog Run(DateOnly day, DateOnly unsyncedDay)
    {
        Posix.CreateFolder(folder.Path);
        var unsynced = new HashSet<(ulong Id, long ReceivedTs)>();
        var days = new List<DateOnly>();
        foreach (var entry in entries)
        {
            unsynced.Add((Hash(entry.Event!.EventId), entry.Entry.ReceivedTs));
            if (!days.Contains(entry.Day))
            {
                days.Add(entry.Day);
            }
        }

        if (days.Count == 0)
        {
            days.Add(day);
        }

        for (var earlier = unsyncedDay; earlier < days.Min(); earlier = earlier.AddDays(1))
        {
            Posix.Sync(folder.Record(earlier));
            Posix.Sync(folder.Text(earlier));
        }

        foreach (var repaired in days)
        {
            CompressedDay.Restore(folder, repaired);
            new DayRepair(folder, repaired, unsynced, entries, hasSyncFailed).Run();
        }

        Posix.Sync(folder.Path);
        Posix.Sync(folder.Root);
        return RoomLog.Open(folder, days[0], KnownEvents.Open(folder.Path, days[0]));
    }

    /// <summary>The hash by which the lines of a record are matched with entries.</summary>
    public static ulong Hash(string eventId) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(eventId.AsSpan()));
}
