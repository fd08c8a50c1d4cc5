using LoggingService.RoomLogs;

namespace LoggingService.Tests;

/// <summary>Which room is closed when another one is opened, and which rooms are kept in memory.</summary>
public class RoomLogCacheTests
{
    private readonly RoomLogCache _cache = new(maxOpen: 3, maxFilterBytes: 100_000);

    [Fact]
    public void The_least_recently_used_room_is_closed_first()
    {
        var rooms = Open("a", "b", "c");

        _cache.Touch(rooms[0]);

        Assert.False(_cache.HasFreeSlot);
        Assert.Equal("b", _cache.Victim?.RoomId);
        Assert.NotNull(_cache.Detach(rooms[1]));
        Assert.True(_cache.HasFreeSlot);
        Assert.Equal("c", _cache.Victim?.RoomId);
    }

    [Fact]
    public void A_room_without_unsynced_lines_is_closed_before_one_with_some()
    {
        var rooms = Open("a", "b", "c");
        rooms[0].UnsyncedFrom = 1;
        rooms[1].SyncingFrom = 1;

        Assert.Equal("c", _cache.Victim?.RoomId);

        rooms[2].UnsyncedFrom = 2;
        Assert.Equal("a", _cache.Victim?.RoomId);
    }

    [Fact]
    public void The_least_recently_used_rooms_lose_their_filters_if_all_take_too_much_memory()
    {
        var rooms = Open("a", "b", "c");
        var small = new NoLog { Filter = 1000 };
        var old = new NoLog { Filter = 40_000 };
        var used = new NoLog { Filter = 50_000 };
        var large = new NoLog { Filter = 45_000 };
        var tooLarge = new NoLog { Filter = 100_001 };

        Reopen(rooms[0], small);
        Reopen(rooms[1], used);
        Reopen(rooms[2], old);
        Assert.Equal([1000, 50_000, 40_000], [small.FilterSize, used.FilterSize, old.FilterSize]);

        _cache.Touch(rooms[1]);
        Reopen(rooms[0], large);
        Assert.Equal([45_000, 50_000, 0], [large.FilterSize, used.FilterSize, old.FilterSize]);

        Reopen(rooms[2], tooLarge);
        Assert.Equal([45_000, 50_000, 0], [large.FilterSize, used.FilterSize, tooLarge.FilterSize]);
    }

    [Fact]
    public void A_room_with_work_in_the_background_takes_a_slot_and_is_not_closed()
    {
        var rooms = Open("a", "b", "c");
        foreach (var room in rooms)
        {
            _cache.Detach(room);
            _cache.StartWork(room);
        }

        Assert.False(_cache.HasFreeSlot);
        Assert.Null(_cache.Victim);

        _cache.EndWork(rooms[0]);
        Assert.True(_cache.HasFreeSlot);
    }

    [Theory]
    [InlineData("unsynced")]
    [InlineData("syncing")]
    [InlineData("parked")]
    [InlineData("copied")]
    [InlineData("busy")]
    [InlineData("open")]
    [InlineData("idle")]
    public void A_room_is_forgotten_only_when_its_files_have_everything(string state)
    {
        var room = _cache.GetOrAdd("a");
        switch (state)
        {
            case "unsynced": room.UnsyncedFrom = 1; break;
            case "syncing": room.SyncingFrom = 1; break;
            case "parked": room.RepairAt = 1; break;
            case "copied": room.ParkedThrough = 1; break;
            case "busy": _cache.StartWork(room); break;
            case "open": _cache.Open(room, new NoLog()); break;
            default: break;
        }

        _cache.RemoveIfIdle(room);

        Assert.Equal(state != "idle", _cache.Rooms.Contains(room));
        Assert.Equal(state != "idle", _cache.GetOrAdd("a") == room);
    }

    private Room[] Open(params string[] ids)
    {
        var rooms = ids.Select(_cache.GetOrAdd).ToArray();
        Array.ForEach(rooms, room => _cache.Open(room, new NoLog()));
        return rooms;
    }

    private void Reopen(Room room, DayLog log)
    {
        _cache.Detach(room);
        _cache.Open(room, log);
    }

    private sealed class NoLog : DayLog
    {
        public long Filter { get; set; }

        public override DateOnly Day => default;

        public override long FilterSize => Filter;

        public override void DropFilter() => Filter = 0;

        public override IReadOnlyList<LoggedLine> Append(IReadOnlyList<RoomEntry> entries, bool isReplay = false) => [];

        public override bool IsUnchanged() => true;

        public override void Sync()
        {
        }

        public override void Dispose()
        {
        }
    }
}
