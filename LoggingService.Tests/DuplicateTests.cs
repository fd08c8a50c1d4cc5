using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>An event that is resent is acknowledged and logged once.</summary>
public class DuplicateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task The_same_event_twice_in_one_transaction_is_logged_once()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var id = Some.EventId();
        await PushAsync(service, "1", Some.Message(room, "one", id), Some.Message(room, "between"), Some.Message(room, "one", id));
        Assert.Equal(["<@alice:localhost> one", "<@alice:localhost> between"], service.Lines(room));
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task An_event_resent_in_another_transaction_is_logged_once_and_new_events_of_that_transaction_are_logged()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var id = Some.EventId();
        await PushAsync(service, "1", Some.Message(room, "one", id));
        await PushAsync(service, "2", Some.Message(room, "one", id), Some.Message(room, "two"));
        await PushAsync(service, "1", Some.Message(room, "three"));
        Assert.Equal(["<@alice:localhost> one", "<@alice:localhost> two", "<@alice:localhost> three"], service.Lines(room));
    }

    [Fact]
    public async Task The_same_event_in_transactions_that_are_written_at_the_same_time_is_logged_once()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var ids = Enumerable.Range(0, 20).Select(_ => Some.EventId()).ToArray();
        var events = ids.Select(id => Some.Message(room, id, id)).ToArray();

        var pushed = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => service.PushAsync($"{i}", events[i % 20], events[(i + 7) % 20])));

        Assert.All(pushed, response => Assert.Equal(200, response.Status));
        Assert.Equal(ids.Order(), LogFolder.EventIds(service.Logs, room).Order());
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task The_same_id_in_another_room_is_another_event()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        var otherRoom = Some.RoomId();
        var id = Some.EventId();
        await PushAsync(service, "1", Some.Message(room, "here", id), Some.Message(otherRoom, "there", id));
        Assert.Single(service.Record(room));
        Assert.Single(service.Record(otherRoom));
    }

    // Known events are those of the two newest records, and of all records since the event's origin_server_ts, 31 days at most.
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(30, 1)]
    [InlineData(31, 2)]
    public async Task An_event_resent_after_days_and_a_restart_is_known_for_31_days(int days, int expected)
    {
        using var folder = TempFolder.ForCaller();
        var time = new FakeTimeProvider(Noon);
        var room = Some.RoomId();
        var id = Some.EventId();
        var message = Some.Message(room, "hello", id, Noon.ToUnixTimeMilliseconds());
        using (var service = new ServiceUnderTest(time, folder))
        {
            await PushAsync(service, "1", message);
        }

        using var again = new ServiceUnderTest(time, folder);

        // A record a day: the 31 newest count.
        for (var day = 1; day <= days; day++)
        {
            time.SetUtcNow(Noon.AddDays(day));
            await PushAsync(again, $"later{day}", Some.Message(room, $"later {day}", at: time.GetUtcNow().ToUnixTimeMilliseconds()));
        }

        await PushAsync(again, "1", message);
        Assert.Equal(expected, LogFolder.EventIds(again.Logs, room).Count(logged => logged == id));
    }

    [Fact]
    public async Task An_old_event_is_looked_up_in_all_records_since_it_was_sent()
    {
        var time = new FakeTimeProvider(Noon);
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        List<string> messages = [];
        for (var day = 0; day < 10; day++)
        {
            time.SetUtcNow(Noon.AddDays(day));
            messages.Add(Some.Message(room, $"day {day}", at: Noon.AddDays(day).ToUnixTimeMilliseconds()));
            await PushAsync(service, $"{day}", messages[^1]);
        }

        // Sent on the first day but received now: it is new, and known from now on.
        messages.Add(Some.Message(room, "late", at: Noon.ToUnixTimeMilliseconds()));
        await PushAsync(service, "late", messages[^1]);
        await PushAsync(service, "again", [.. messages]);
        Assert.Equal(11, LogFolder.EventIds(service.Logs, room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task Concurrent_transactions_with_the_same_events_log_each_once()
    {
        using var service = new ServiceUnderTest();
        string[] rooms = [Some.RoomId(), Some.RoomId(), Some.RoomId()];
        var messages = Enumerable.Range(0, 60).Select(i => Some.Message(rooms[i % 3], $"message {i}")).ToArray();
        var pushes = Enumerable.Range(0, 40).Select(i =>
        {
            var selected = messages.Skip(i).Take(21).ToArray();
            new Random(i).Shuffle(selected);
            return service.PushAsync($"{i % 7}", selected);
        });
        Assert.All(await Task.WhenAll(pushes), response => Assert.Equal(200, response.Status));
        var logged = rooms.SelectMany(room => LogFolder.EventIds(service.Logs, room)).ToList();
        Assert.Equal(60, logged.Count);
        Assert.Equal(60, logged.Distinct().Count());
        LogFolder.AssertLineForLine(service.Logs);
    }

    private static async Task PushAsync(ServiceUnderTest service, string id, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync(id, events)).Status);
}
