using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>More rooms than may have their files open: those that were written longest ago rest, and lose nothing by it.</summary>
public class RoomEvictionTests
{
    private const int MoreThanOpen = 1_010;
    private static readonly DateOnly Day = new(2026, 11, 23);
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task A_room_that_was_at_rest_knows_its_events_and_is_not_read_again()
    {
        using var service = new ServiceUnderTest();
        var message = Some.Message(_room, "once", "$once1");
        await PushAsync(service, message);
        await PutToRestAsync(service);

        // The same file, as long as before: only who reads it again finds the event gone.
        using (var record = File.OpenWrite(DayFile(service, _room, ".jsonl")))
        {
            record.Position = message.IndexOf("$once1", StringComparison.Ordinal);
            record.Write("$other"u8);
        }

        await PushAsync(service, message, Some.Message(_room, "after"));
        Assert.Equal(["<@alice:localhost> once", "<@alice:localhost> after"], service.Lines(_room));
        Assert.Equal(2, service.Record(_room).Count);
    }

    [Fact]
    public async Task Files_that_are_touched_while_their_rooms_rest_lose_nothing_that_is_acknowledged_later()
    {
        using var service = new ServiceUnderTest();
        var touches = new Dictionary<string, Action<string, string>>
        {
            ["record deleted"] = (record, _) => File.Delete(record),
            ["text deleted"] = (_, text) => File.Delete(text),
            ["record cut"] = (record, _) => File.WriteAllLines(record, File.ReadAllLines(record)[..1]),
            ["text lengthened"] = (_, text) => File.AppendAllText(text, "somebody's note\n"),
            ["record replaced by its copy"] = (record, _) => ReplaceByCopy(record),
            ["folder removed"] = (record, _) => Directory.Delete(Path.GetDirectoryName(record)!, recursive: true),
        };
        var rooms = touches.Keys.ToDictionary(touch => touch, _ => Some.RoomId());
        await PushAsync(service, [.. rooms.Values.SelectMany(room => new[] { Some.Message(room, "one"), Some.Message(room, "two") })]);
        await PutToRestAsync(service);
        foreach (var (touch, room) in rooms)
            touches[touch](DayFile(service, room, ".jsonl"), DayFile(service, room, ".log"));

        foreach (var (touch, room) in rooms)
        {
            await PushAsync(service, Some.Message(room, "after"));
            await PushAsync(service, Some.Message(room, "and later"));
            Assert.Equal(["<@alice:localhost> after", "<@alice:localhost> and later"], service.Lines(room).TakeLast(2));
            Assert.True(service.WarningsAndErrors.Any(line => line.Contains($"the files of \"{room}\"", StringComparison.Ordinal)), touch);
        }

        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public void Of_the_rooms_that_rest_those_beyond_the_bound_are_forgotten_the_longest_at_rest_first()
    {
        using var folder = TempFolder.ForCaller();
        using var rooms = new OpenRooms(folder.Path, TimeProvider.System, NullLogger.Instance, mostOpen: 2, mostResting: 150);
        var ids = Open(rooms, 10);

        // A room without events counts for fifty ids: two are open, three rest.
        Assert.Equal([.. Enumerable.Repeat(false, 5), .. Enumerable.Repeat(true, 5)], ids.Select(id => rooms.Find(id) is not null));
    }

    [Fact]
    public void A_room_that_is_woken_is_not_forgotten_for_the_one_that_goes_to_rest_for_it()
    {
        using var folder = TempFolder.ForCaller();
        using var rooms = new OpenRooms(folder.Path, TimeProvider.System, NullLogger.Instance, mostOpen: 2, mostResting: 150);
        var ids = Open(rooms, 5);
        foreach (var id in ids)
            Assert.Equal(id, rooms.Open(id, Day, new Dictionary<string, RoomLog>()).RoomId);
    }

    [Fact]
    public void Rooms_that_rest_since_another_day_are_forgotten()
    {
        using var folder = TempFolder.ForCaller();
        using var rooms = new OpenRooms(folder.Path, TimeProvider.System, NullLogger.Instance, mostOpen: 2);
        var ids = Open(rooms, 10);
        Assert.All(ids, id => Assert.NotNull(rooms.Find(id)));
        rooms.Open(Some.RoomId(), Day.AddDays(1), new Dictionary<string, RoomLog>());
        Assert.Equal(ids[^1..], ids.Where(id => rooms.Find(id) is not null));
    }

    private static string[] Open(OpenRooms rooms, int count)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Some.RoomId()).ToArray();
        foreach (var id in ids)
            rooms.Open(id, Day, new Dictionary<string, RoomLog>());
        return ids;
    }

    private static Task PutToRestAsync(ServiceUnderTest service) =>
        PushAsync(service, [.. Enumerable.Range(0, MoreThanOpen).Select(_ => Some.Message(Some.RoomId()))]);

    // What was touched needs a checkpoint, and one may be running: until then it is a 500, and sent again.
    private static async Task PushAsync(ServiceUnderTest service, params string[] events)
    {
        for (var end = DateTime.UtcNow.AddSeconds(30); (await service.PushAsync("1", events)).Status != 200;)
            Assert.True(DateTime.UtcNow < end);
    }

    private static void ReplaceByCopy(string path)
    {
        File.Copy(path, path + ".copy");
        File.Move(path + ".copy", path, overwrite: true);
    }

    private static string DayFile(ServiceUnderTest service, string room, string suffix) =>
        Assert.Single(Directory.GetFiles(Path.Combine(service.Logs, room), "2*" + suffix));
}
