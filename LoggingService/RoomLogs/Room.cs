using System.Diagnostics;

namespace LoggingService.RoomLogs;

/// <summary>
/// A room, or the quarantine, as the writer sees it. Accessed in the writer's turn only, but for <see cref="RaisedThrough"/> and
/// <see cref="StartedAt"/>, which the work in the background advances while the room is busy.
/// </summary>
/// <param name="roomId"><see cref="RoomEntry.Quarantine"/> for the quarantine.</param>
internal sealed class Room(string roomId)
{
    private const long HeldLimit = 16 * 1024 * 1024;
    private List<RoomEntry> _held = [];
    private long _heldBytes;
    private long _startedAt;

    public string RoomId => roomId;

    /// <summary>The room among the open logs (<see cref="RoomLogCache"/>); <c>null</c> while it is not.</summary>
    public LinkedListNode<Room>? Node { get; set; }

    /// <summary>The open log; <c>null</c> while the room is closed, busy or parked.</summary>
    public DayLog? Log { get; set; }

    /// <summary>A timestamp of when the opening, closing or repair of the log was queued; <c>null</c> if there is none.</summary>
    public long? BusySince { get; set; }

    /// <summary>A timestamp of when that work started; 0 before.</summary>
    public long StartedAt { get => Volatile.Read(ref _startedAt); set => Volatile.Write(ref _startedAt, value); }

    /// <summary>The work takes long, as where a disk hangs.</summary>
    public bool IsSlow => StartedAt is var at && at != 0 && Stopwatch.GetElapsedTime(at) > RoomLogCache.MaxWork;

    /// <summary>
    /// When the next repair is due, as a timestamp. Until then the room's entries are left to the journal; <c>null</c> if it is sound.
    /// </summary>
    public long? RepairAt { get; set; }

    /// <summary>How often repairs failed since the last success.</summary>
    public int Failures { get; set; }

    /// <summary>When the room was last repaired because another program changed its files.</summary>
    public long? ChangeRepairedAt { get; set; }

    /// <summary>The oldest entry behind the last good stat, where only files that another program changed are to be repaired.</summary>
    public long? ChangedFrom { get; set; }

    /// <summary>The first entry that the work in the background appends; <c>null</c> if it appends none.</summary>
    public long? AppendingFrom { get; set; }

    /// <summary>An fsync of its files failed: the next repair must write new ones.</summary>
    public bool HasSyncFailed { get; set; }

    /// <summary>The running repair writes new files.</summary>
    public bool IsReplacingFiles { get; set; }

    /// <summary>The day of the newest entry.</summary>
    public DateOnly Day { get; private set; }

    /// <summary>The oldest day of the entries that are not known to be synced.</summary>
    public DateOnly UnsyncedDay { get; private set; }

    /// <summary>The oldest entry that no checkpoint has started to sync; <c>null</c> if there is none.</summary>
    public long? UnsyncedFrom { get; set; }

    /// <summary>The oldest entry that the running checkpoint syncs; <c>null</c> if there is none.</summary>
    public long? SyncingFrom { get; set; }

    /// <summary>The oldest entry that is not known to be synced into the room's files; <c>null</c> if all are.</summary>
    public long? From => SyncingFrom ?? UnsyncedFrom;

    /// <summary>The oldest entry that is neither known to be synced nor copied to parked segments; <c>null</c> if there is none.</summary>
    public long? NotCopiedFrom => From is { } from ? Math.Max(from, ParkedThrough + 1) : null;

    /// <summary>Entries up to this sequence have a durable copy in parked segments; 0 if there are no segments.</summary>
    public long ParkedThrough { get; set; }

    /// <summary>The last entry whose line was passed on: a repair that appends it again does not.</summary>
    public long RaisedThrough { get; set; }

    /// <summary>Entries of the current round.</summary>
    public List<RoomEntry> Round { get; } = [];

    /// <summary>The first entry that waits for the room not to be busy; <c>null</c> if none does.</summary>
    public long? HeldFrom { get; private set; }

    /// <summary>The day of the first entry that waits.</summary>
    public DateOnly HeldDay { get; private set; }

    /// <summary>Whether its log is being opened, closed or repaired, or waits for that, and should have the entries then.</summary>
    public bool IsWaiting => Failures == 0 && RepairAt is null && (BusySince is not null || HeldFrom is not null) && !IsSlow;

    /// <summary>More entries wait than are kept in memory: they must be read from the journal.</summary>
    public bool HasOverflowed { get; private set; }

    /// <summary>Notes that an entry is not synced. Fetched events may belong to an earlier day than those before.</summary>
    public void AddUnsynced(RoomEntry entry)
    {
        if (From is null || entry.Day < UnsyncedDay)
        {
            UnsyncedDay = entry.Day;
        }

        UnsyncedFrom = Math.Min(UnsyncedFrom ?? long.MaxValue, entry.Sequence);
        Day = entry.Day;
    }

    /// <summary>Keeps entries until the room is not busy.</summary>
    public void Hold(IReadOnlyList<RoomEntry> entries)
    {
        if (HeldFrom is null)
        {
            HeldFrom = entries[0].Sequence;
            HeldDay = entries[0].Day;
        }

        _held.AddRange(entries);
        _heldBytes += entries.Sum(entry => (long)entry.Entry.Bytes.Length);
        if (HasOverflowed || _heldBytes > HeldLimit)
        {
            Overflow();
        }
    }

    /// <summary>Leaves what waits to the journal.</summary>
    public void Overflow()
    {
        HasOverflowed = true;
        _held = [];
        _heldBytes = 0;
    }

    /// <summary>Returns what waits, and keeps nothing.</summary>
    public List<RoomEntry> TakeHeld()
    {
        var held = _held;
        _held = [];
        _heldBytes = 0;
        HeldFrom = null;
        HasOverflowed = false;
        return held;
    }
}
