using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Before which day old days were removed is known after a restart.</summary>
public sealed class RemovedDayNoteTests : IDisposable
{
    private static readonly DateOnly First = new(2026, 11, 1);
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeTimeProvider _time = new(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void The_later_one_of_all_rooms_and_of_the_room_counts_and_none_moves_back()
    {
        Write("!tea", "!milk");
        Remove(First, null);
        Write("!tea");
        Remove(First.AddDays(5), "!tea");
        Write("!tea");
        Remove(First.AddDays(3), "!tea");
        var days = Read();
        Assert.Equal(First.AddDays(5), days.FindFirstKept("!tea"));
        Assert.Equal(First, days.FindFirstKept("!milk"));
        Write("!milk");
        Remove(First.AddDays(6), null);
        Assert.Equal(First.AddDays(6), Read().FindFirstKept("!tea"));
        Assert.Equal("2026-11-07 *\n", File.ReadAllText(_folder[".removed"]));
    }

    [Fact]
    public void Where_nothing_is_removed_nothing_is_noted_and_a_day_to_come_does_not_count()
    {
        Remove(First, null);
        Assert.False(File.Exists(_folder[".removed"]));
        File.WriteAllText(_folder[".removed"], "2036-01-01 *\nnonsense\n");
        Assert.Null(Read().FindFirstKept("!tea"));
        Write("!tea");
        Remove(First, null);
        Assert.Equal(First, Read().FindFirstKept("!tea"));
    }

    public void Dispose() => _folder.Dispose();

    private RemovedDays Read() => new(_folder.Path, _time);

    private void Remove(DateOnly before, string? folder) => Read().RemoveDaysBefore(before, folder);

    private void Write(params string[] rooms)
    {
        foreach (var room in rooms)
        {
            Directory.CreateDirectory(_folder[room]);
            File.WriteAllText(_folder[room, "20260101.jsonl"], "{}\n");
            File.WriteAllText(_folder[room, "20261122.jsonl"], "{}\n");
        }
    }
}
