using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>More rooms than the limit of open ones: the least recently used are evicted, and lose nothing.</summary>
public class RoomEvictionTests
{
    private const int AboveLimit = 1_010;
    private static readonly DateOnly Day = new(2026, 11, 23);
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task An_evicted_room_still_knows_its_events_without_reading_its_record()
    {
        using var folder = TempFolder.InMemory();
        using var service = new ServiceUnderTest(folder: folder);
        var message = Some.Message(_room, "once", "$once1");
        await PushAsync(service, message, Some.Message(_room, "other", "$other"));
        await EvictAllAsync(service);
        var record = DailyFile(service, _room, ".jsonl");
        Assert.NotEmpty(DailyFile(service, _room, ".ids"));

        // The same file, length and time: only a reader of the whole record would notice that an event id has changed.
        var written = File.GetLastWriteTimeUtc(record);
        var position = File.ReadAllText(record).IndexOf("$other", StringComparison.Ordinal);
        using (var file = File.OpenWrite(record))
        {
            file.Position = position;
            file.Write("$later"u8);
        }

        File.SetLastWriteTimeUtc(record, written);
        await PushAsync(service, message, Some.Message(_room, "later", "$later"));
        Assert.Equal(["once", "other", "later"], service.Lines(_room).Select(line => line["<@alice:localhost> ".Length..]));
    }

    [Fact]
    public async Task Rooms_that_are_evicted_in_turn_lose_and_repeat_no_event()
    {
        using var folder = TempFolder.InMemory();
        var rooms = Enumerable.Range(0, AboveLimit).Select(_ => Some.RoomId()).ToArray();
        var events = Enumerable.Range(0, 2).Select(i => rooms.Select(room => Some.Message(room, $"message {i}")).ToArray()).ToArray();
        using (var service = new ServiceUnderTest(folder: folder))
        {
            foreach (var transaction in events.Concat(events))
            {
                await PushAsync(service, transaction);
            }
        }

        var expected = Enumerable.Range(0, 2).Select(i => $"message {i}").ToArray();
        Assert.All(rooms, room => Assert.Equal(expected.Length, LogFolder.EventIds(folder["logs"], room).Count));
        LogFolder.AssertLineForLine(folder["logs"]);
    }

    [Fact]
    public async Task Changes_to_files_of_evicted_rooms_lose_no_event_that_is_acknowledged_later()
    {
        using var folder = TempFolder.InMemory();
        using var service = new ServiceUnderTest(folder: folder);
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

        foreach (var room in rooms.Values)
        {
            await PushAsync(service, Some.Message(room, "after"));
            await PushAsync(service, Some.Message(room, "and later"));
            Assert.Equal(["<@alice:localhost> after", "<@alice:localhost> and later"], service.Lines(room).TakeLast(2));
        }

        LogFolder.AssertLineForLine(service.Logs);
    }

    private static Task EvictAllAsync(ServiceUnderTest service) =>
        PushAsync(service, [.. Enumerable.Range(0, AboveLimit).Select(_ => Some.Message(Some.RoomId()))]);

    private static async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync("1", events)).Status);

    private static void ReplaceByCopy(string path)
    {
        File.Copy(path, path + ".copy");
        File.Move(path + ".copy", path, overwrite: true);
    }

    private static string DailyFile(ServiceUnderTest service, string room, string suffix) =>
        Assert.Single(Directory.GetFiles(Path.Combine(service.Logs, room), "2*" + suffix));
}
