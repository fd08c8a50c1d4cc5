using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>More rooms than the limit of open ones: the least recently used are evicted, and lose nothing.</summary>
public class RoomEvictionTests
{
    private const int AboveLimit = 1_010;
    private static readonly DateOnly Day = new(2026, 11, 23);
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task An_evicted_room_still_knows_its_events_without_reading_them_again()
    {
        using var service = new ServiceUnderTest();
        var message = Some.Message(_room, "once", "$once1");
        await PushAsync(service, message);
        await EvictAllAsync(service);

        // The same file with the same length: only a reader would notice that the event id has changed.
        using (var record = File.OpenWrite(DailyFile(service, _room, ".jsonl")))
        {
            record.Position = message.IndexOf("$once1", StringComparison.Ordinal);
            record.Write("$other"u8);
        }

        await PushAsync(service, message, Some.Message(_room, "after"));
        Assert.Equal(["<@alice:localhost> once", "<@alice:localhost> after"], service.Lines(_room));
        Assert.Equal(2, service.Record(_room).Count);
    }

    [Fact]
    public async Task Changes_to_files_of_evicted_rooms_lose_no_event_that_is_acknowledged_later()
    {
        using var service = new ServiceUnderTest();
        var changes = new Dictionary<string, Action<string, string>>
        {
            ["record deleted"] = (record, _) => File.Delete(record),
            ["text deleted"] = (_, text) => File.Delete(text),
            ["record cut"] = (record, _) => File.WriteAllLines(record, File.ReadAllLines(record)[..1]),
            ["text lengthened"] = (_, text) => File.AppendAllText(text, "a note\n"),
            ["record replaced by its copy"] = (record, _) => ReplaceByCopy(record),
            ["folder removed"] = (record, _) => Directory.Delete(Path.GetDirectoryName(record)!, recursive: true),
        };
        var rooms = changes.Keys.ToDictionary(change => change, _ => Some.RoomId());
        await PushAsync(service, [.. rooms.Values.SelectMany(room => new[] { Some.Message(room, "one"), Some.Message(room, "two") })]);
        await EvictAllAsync(service);
        foreach (var (change, room) in rooms)
            changes[change](DailyFile(service, room, ".jsonl"), DailyFile(service, room, ".log"));

        foreach (var (change, room) in rooms)
        {
            await PushAsync(service, Some.Message(room, "after"));
            await PushAsync(service, Some.Message(room, "and later"));
            Assert.Equal(["<@alice:localhost> after", "<@alice:localhost> and later"], service.Lines(room).TakeLast(2));
            Assert.True(service.WarningsAndErrors.Any(line => line.Contains($"Files of \"{room}\" changed on disk")), change);
        }

        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public void Evicted_rooms_above_the_limit_are_discarded_least_recently_used_first()
    {
        using var folder = TempFolder.ForCaller();
        using var rooms = new OpenRooms(folder.Path, TimeProvider.System, NullLogger.Instance, mostOpen: 2, mostResting: 150);
        var ids = Open(rooms, 10);

        // A room without events counts as fifty ids: two rooms are open, three evicted.
        Assert.Equal([.. Enumerable.Repeat(false, 5), .. Enumerable.Repeat(true, 5)], ids.Select(id => rooms.Find(id) is not null));
    }

    [Fact]
    public void A_reopened_room_is_not_discarded_for_the_one_evicted_in_its_place()
    {
        using var folder = TempFolder.ForCaller();
        using var rooms = new OpenRooms(folder.Path, TimeProvider.System, NullLogger.Instance, mostOpen: 2, mostResting: 150);
        var ids = Open(rooms, 5);
        foreach (var id in ids)
            Assert.Equal(id, rooms.Open(id, Day, new Dictionary<string, RoomLog>()).RoomId);
    }

    [Fact]
    public void Rooms_evicted_on_another_day_are_discarded()
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

    private static Task EvictAllAsync(ServiceUnderTest service) =>
        PushAsync(service, [.. Enumerable.Range(0, AboveLimit).Select(_ => Some.Message(Some.RoomId()))]);

    // Retries: changed files need a checkpoint, which may be running, and the service responds 500 until then.
    private static async Task PushAsync(ServiceUnderTest service, params string[] events)
    {
        var end = DateTime.UtcNow.AddSeconds(30);
        while ((await service.PushAsync("1", events)).Status != 200)
            Assert.True(DateTime.UtcNow < end);
    }

    private static void ReplaceByCopy(string path)
    {
        File.Copy(path, path + ".copy");
        File.Move(path + ".copy", path, overwrite: true);
    }

    private static string DailyFile(ServiceUnderTest service, string room, string suffix) =>
        Assert.Single(Directory.GetFiles(Path.Combine(service.Logs, room), "2*" + suffix));
}
