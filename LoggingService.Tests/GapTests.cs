using LoggingService.Homeserver;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Events whose push was lost are fetched from the homeserver, behind a line that tells so.</summary>
public class GapTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly string _room = Some.RoomId();
    private readonly FakeTimeProvider _time = new(Noon);
    private readonly StubHistory _history;

    public GapTests() => _history = new(_room);

    [Fact]
    public async Task What_was_lost_while_the_service_was_stopped_is_fetched_at_its_start()
    {
        using var folder = TempFolder.ForCaller();
        _history.Add(Message("before it was logged"));
        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
        }

        var lost = new[] { Message("lost 1", 2), Message("lost 2", 5) };
        _history.Add(lost[0]);
        _history.Add(lost[1]);
        _time.Advance(TimeSpan.FromMinutes(8));
        using var service = Start(folder);
        await PushAsync(service, Message("two", 8));
        await UntilAsync(service, "*** 2 events from 12:02:00 to 12:05:00 were fetched later", "<@alice:localhost> lost 1");
        Assert.Equal(
            [
                "<@alice:localhost> one", "<@alice:localhost> two", "*** 2 events from 12:02:00 to 12:05:00 were fetched later",
                "<@alice:localhost> lost 1", "<@alice:localhost> lost 2",
            ],
            service.Lines(_room));
        Assert.All(service.Record(_room).TakeLast(2), line => Assert.Matches(""","fetched_ts":\d{13},"received_ts":\d{13}\}$""", line));
        Assert.Matches(""","received_ts":\d{13},"note":true\}$""", service.Record(_room)[2]);

        // The lost ones are pushed after all.
        await service.PushAsync("late", lost);
        Assert.Equal(5, service.Lines(_room).Count);
    }

    [Fact]
    public async Task A_gap_of_many_pages_is_logged_in_order_and_read_in_pages_of_a_hundred_events()
    {
        using var folder = TempFolder.ForCaller();
        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
        }

        for (var i = 0; i < 1_234; i++)
        {
            _history.Add(Message($"lost {i}", 1));
        }

        using var service = Start(folder);
        await UntilAsync(service, "<@alice:localhost> lost 1233");
        Assert.Equal("*** 1234 events from 12:01:00 to 12:01:00 were fetched later", service.Lines(_room)[1]);
        Assert.Equal(
            Enumerable.Range(0, 1_234).Select(i => $"<@alice:localhost> lost {i}"), service.Lines(_room).Skip(2));
        Assert.Equal(100, _history.MaxLimit);
    }

    [Fact]
    public async Task Nothing_is_fetched_and_said_where_nothing_is_missing_nor_of_a_room_without_events()
    {
        using var folder = TempFolder.ForCaller();
        var other = new StubHistory(Some.RoomId());
        other.Add(Some.Message(other.RoomId));
        for (var i = 0; i < 5; i++)
        {
            _history.Add(Message($"before {i}"));
        }

        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
            Directory.CreateDirectory(Path.Combine(first.Logs, other.RoomId));
        }

        using var service = Start(folder);
        service.Homeserver.History(other);
        await UntilComparedAsync(service);
        Assert.Equal(["<@alice:localhost> one"], service.Lines(_room));
        Assert.Equal(0, other.Pages);
    }

    [Fact]
    public async Task After_a_pause_of_pushes_of_more_than_ten_minutes_what_was_lost_is_fetched()
    {
        using var service = Start(folder: null);
        await PushAsync(service, Message("one"));
        await UntilComparedAsync(service);
        _history.Add(Message("lost", 3));
        _time.Advance(TimeSpan.FromMinutes(11));
        await PushAsync(service, Message("two", 11));
        await UntilAsync(service, "*** 1 event from 12:03:00 was fetched later", "<@alice:localhost> lost");
    }

    [Fact]
    public async Task Once_a_day_an_active_room_is_compared()
    {
        using var service = Start(folder: null);
        await PushAsync(service, Message("one"));
        await UntilComparedAsync(service);
        for (var minutes = 9; minutes < 24 * 60; minutes += 9)
        {
            _time.Advance(TimeSpan.FromMinutes(9));
            if (minutes == 18)
            {
                _history.Add(Message("lost", minutes));
            }

            await PushAsync(service, Message($"at {minutes}", minutes));
        }

        Assert.DoesNotContain("<@alice:localhost> lost", service.Lines(_room));
        _time.Advance(TimeSpan.FromMinutes(9));
        await UntilAsync(service, "*** 1 event from 2026-11-23 12:18:00 was fetched later", "<@alice:localhost> lost");
    }

    [Fact]
    public async Task After_the_homeserver_could_not_be_reached_what_was_lost_is_fetched()
    {
        using var service = Start(folder: null);
        await PushAsync(service, Message("one"));
        await UntilComparedAsync(service);
        _history.Add(Message("lost", 1));
        _time.Advance(TimeSpan.FromMinutes(2));
        await FailAsync(service);
        await UntilAsync(service, "*** 1 event from 12:01:00 was fetched later", "<@alice:localhost> lost");
    }

    [Fact]
    public async Task Where_our_user_may_not_look_a_line_tells_that_events_may_be_missing()
    {
        using var service = Start(folder: null);
        service.Homeserver.On(_history.Line, 403, """{"errcode":"M_FORBIDDEN","error":"no member"}""");
        await PushAsync(service, Message("one"));
        await UntilComparedAsync(service);
        Assert.Single(service.Lines(_room));
        await FailAsync(service);
        var end = "may be missing";
        await Wait.UntilAsync(() => service.Lines(_room)[^1].EndsWith(end, StringComparison.Ordinal), "the note", Tick);
        Assert.Matches(@"^\*\*\* events between 12:00:\d\d and 12:0\d:\d\d may be missing$", service.Lines(_room)[^1]);
        Assert.Equal(2, service.Lines(_room).Count);
    }

    [Fact]
    public async Task What_was_sent_while_logging_had_stopped_is_not_fetched()
    {
        using var folder = TempFolder.ForCaller();
        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
            await NoteAsync(first, Events.Note.LoggingStopped);
            _history.Add(Message("not to be logged", 1));
            _time.Advance(TimeSpan.FromMinutes(2));
            await NoteAsync(first, Events.Note.LoggingResumed);
            await PushAsync(first, Message("two", 2));
        }

        _history.Add(Message("lost", 3));
        _time.Advance(TimeSpan.FromMinutes(4));
        using var service = Start(folder);
        await UntilAsync(service, "*** 1 event from 12:03:00 was fetched later", "<@alice:localhost> lost");
        Assert.DoesNotContain(service.Lines(_room), line => line.Contains("not to be logged"));
    }

    [Fact]
    public async Task The_history_that_an_interrupted_backfill_has_not_reached_is_not_missing()
    {
        using var folder = TempFolder.ForCaller();
        var old = _history.Add(Message("old", -9));
        _history.Add(Message("older than the room's log", -8));
        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
            var logs = first.Services.GetRequiredService<RoomLogs.LogDirectory>();
            var e = Events.RoomEvent.FromJournal(System.Text.Encoding.UTF8.GetBytes(old), isNote: false)!;
            await logs.AppendAsync([Journal.JournalEntry.OfFetched(e, fetchedTs: 7, day: null)]);
            await logs.CaughtUpAsync();
        }

        using var service = Start(folder);
        await UntilComparedAsync(service);
        Assert.Equal(["<@alice:localhost> one", "<@alice:localhost> old"], service.Lines(_room));
    }

    [Fact]
    public async Task What_has_expired_or_was_erased_does_not_come_back()
    {
        using var folder = TempFolder.ForCaller();
        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
        }

        var erased = Noon.AddMinutes(4);
        new RoomLogs.ErasureMarks(folder["logs"]).Add(_room, erased.ToUnixTimeMilliseconds());
        _history.Add(Message("expired", minutes: -60 * 24 * 9));
        _history.Add(Message("erased", 3));
        _history.Add(Message("lost", 5));
        using var service = Start(folder, retainDays: "7");
        await UntilAsync(service, "*** 1 event from 12:05:00 was fetched later", "<@alice:localhost> lost");
        Assert.Equal(3, service.Lines(_room).Count);
    }

    [Fact]
    public async Task Later_events_that_the_homeserver_bundles_are_not_in_the_record()
    {
        using var folder = TempFolder.ForCaller();
        using (var first = Start(folder))
        {
            await PushAsync(first, Message("one"));
        }

        const string Relations = "\"m.relations\":{\"m.replace\":{\"content\":{\"body\":\"edit\"}}}";
        _history.Add(Message("lost", 1).Replace("{\"age\":37}", $"{{{Relations},\"age\":37}}"));
        using var service = Start(folder);
        await UntilAsync(service, "<@alice:localhost> lost");
        Assert.Contains("\"unsigned\":{\"age\":37}", service.Record(_room)[^1]);
    }

    private ServiceUnderTest Start(TempFolder? folder, string? retainDays = null)
    {
        var settings = new Dictionary<string, string>();
        if (retainDays is not null)
        {
            settings["LoggingService:RetainDays"] = retainDays;
        }

        return new(_time, folder, homeserver: new StubHomeserver().WithoutAliases().History(_history), settings: settings);
    }

    /// <summary>An event that is sent some minutes after noon.</summary>
    private string Message(string body, int minutes = 0) =>
        Some.Message(_room, body, at: Noon.AddMinutes(minutes).ToUnixTimeMilliseconds());

    /// <summary>Adds events to the history, and pushes them.</summary>
    private async Task PushAsync(ServiceUnderTest service, string json)
    {
        _history.Add(json);
        Assert.Equal(200, (await service.PushAsync(Guid.NewGuid().ToString("N"), json)).Status);
    }

    private async Task NoteAsync(ServiceUnderTest service, string type)
    {
        var logs = service.Services.GetRequiredService<RoomLogs.LogDirectory>();
        await logs.AppendAsync([Events.Note.Create(type, _room, "$cause")], [], "");
        await logs.CaughtUpAsync();
    }

    /// <summary>A call of the service does not reach the homeserver.</summary>
    private async Task FailAsync(ServiceUnderTest service)
    {
        const string WhoAmI = "GET /_matrix/client/v3/account/whoami";
        service.Homeserver.On(WhoAmI, _ => throw new HttpRequestException("Connection refused"));
        var call = service.Services.GetRequiredService<HomeserverClient>().WhoAmIAsync(TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => call.IsCompleted, "the call fails", Tick);
        await Assert.ThrowsAsync<HomeserverException>(() => call);
        service.Homeserver.On(WhoAmI, """{"user_id":"@logging:localhost"}""");
    }

    private void Tick() => _time.Advance(TimeSpan.FromSeconds(1));

    private Task UntilAsync(ServiceUnderTest service, params string[] lines)
    {
        _ = service.Client;
        return Wait.UntilAsync(() => lines.All(service.Lines(_room).Contains), $"{string.Join('\n', lines)} in the log", Tick);
    }

    /// <summary>Waits until the rooms were compared after the start.</summary>
    private Task UntilComparedAsync(ServiceUnderTest service)
    {
        _ = service.Client;
        return Wait.UntilAsync(() => File.Exists(Path.Combine(service.Logs, ".history", "checked")), "a comparison", Tick);
    }
}
