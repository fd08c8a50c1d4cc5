using System.Diagnostics;

namespace LoggingService.RoomLogs;

/// <summary>
/// The rooms that the writer knows, and which of their logs are open, by least recent use. Accessed in the writer's turn only.
/// </summary>
/// <param name="maxFilterBytes">
/// Bounds the filters of known ids: 100 rooms with 30 days of 30,000 events need 150 MiB. A room without its filter searches the files of
/// its days at each event.
/// </param>
internal sealed class RoomLogCache(int maxOpen, long maxFilterBytes = 192 * 1024 * 1024)
{
    private const long SmallFilter = 16 * 1024;

    /// <summary>Work that takes longer counts as hung.</summary>
    public static readonly TimeSpan MaxWork = TimeSpan.FromSeconds(10);

    /// <summary>Logs that are closed for others keep their files until they are synced: on a slow disk they must not add up.</summary>
    private readonly int _maxBusy = Math.Max(2, maxOpen / 16);
    private readonly Dictionary<string, Room> _rooms = [];
    private readonly LinkedList<Room> _open = new();
    private long _progressAt;

    /// <summary>The rooms with an open log, with entries that are not synced, or with work in the background.</summary>
    public IReadOnlyCollection<Room> Rooms => _rooms.Values;

    /// <summary>How many rooms have work in the background.</summary>
    public int Busy { get; private set; }

    /// <summary>Whether no work has ended for a while: rooms that wait for it may wait for long.</summary>
    public bool IsStuck => Busy > 0 && Stopwatch.GetElapsedTime(_progressAt) > MaxWork;

    /// <summary>Whether one more log can be opened without closing another.</summary>
    public bool HasFreeSlot => _open.Count + Busy < maxOpen;

    /// <summary>Whether a log may be closed now to open another one.</summary>
    public bool CanReplace => Busy < _maxBusy;

    /// <summary>
    /// The log to close for another one: the least recently used without unsynced lines, or else the least recently used.
    /// </summary>
    public Room? Victim => _open.FirstOrDefault(room => room.From is null) ?? _open.First?.Value;

    /// <summary>The counts as of the last <see cref="Count"/>; for any thread.</summary>
    public RoomCounts Counts { get; private set; } = new(0, 0);

    public void Count() => Counts = new(
        _open.Count, _rooms.Values.Count(room => room.Failures > 0 || room.RepairAt is not null || room.HasOverflowed));

    public Room GetOrAdd(string roomId)
    {
        if (!_rooms.TryGetValue(roomId, out var room))
        {
            _rooms[roomId] = room = new(roomId);
        }

        return room;
    }

    public void Open(Room room, DayLog log)
    {
        room.Log = log;
        room.Node = _open.AddLast(room);
        if (log.FilterSize > SmallFilter)
        {
            DropFilters();
        }
    }

    /// <summary>Marks an open log as the most recently used.</summary>
    public void Touch(Room room)
    {
        if (room.Node is { } node && node != _open.Last)
        {
            _open.Remove(node);
            _open.AddLast(node);
        }
    }

    /// <summary>Takes a log out of the open ones: it is the caller's to dispose.</summary>
    public DayLog? Detach(Room room)
    {
        if (room.Node is { } node)
        {
            _open.Remove(node);
            room.Node = null;
        }

        var log = room.Log;
        room.Log = null;
        return log;
    }

    public void StartWork(Room room)
    {
        room.BusySince = Stopwatch.GetTimestamp();
        if (Busy == 0)
        {
            _progressAt = Stopwatch.GetTimestamp();
        }

        Busy++;
    }

    public void EndWork(Room room)
    {
        room.BusySince = null;
        room.StartedAt = 0;
        _progressAt = Stopwatch.GetTimestamp();
        Busy--;
    }

    /// <summary>Drops the filters of the least recently used logs that exceed the bound.</summary>
    private void DropFilters()
    {
        var bytes = 0L;
        for (var node = _open.Last; node is not null; node = node.Previous)
        {
            var log = node.Value.Log!;
            if (bytes + log.FilterSize > maxFilterBytes)
            {
                log.DropFilter();
            }

            bytes += log.FilterSize;
        }
    }

    /// <summary>Forgets a room whose files have everything.</summary>
    public void RemoveIfIdle(Room room)
    {
        if (room is { Log: null, BusySince: null, RepairAt: null, From: null, HeldFrom: null, ParkedThrough: 0, Round.Count: 0 })
        {
            _rooms.Remove(room.RoomId);
        }
    }
}
