using LoggingService.Events;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Events that the service fetched are logged as others are; their record tells when they were fetched.</summary>
public class FetchedEventTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateOnly OldDay = new(2026, 9, 1);
    private readonly string _room = Some.RoomId();
    private readonly FakeTimeProvider _time = new(Noon);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fetched_event_is_logged_in_the_day_that_was_chosen_for_it_also_after_a_restart(bool isKilled)
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(_time, folder);
        await service.PushAsync("1", Some.Message(_room, "today"));
        await FetchAsync(service, OldDay, Some.Message(_room, "old"));
        await FetchAsync(service, day: null, Some.Message(_room, "late"));
        folder = await service.StopAsync(folder, isKilled);

        service = new ServiceUnderTest(_time, folder);
        await service.PushAsync("2", Some.Message(_room, "after"));
        Assert.Equal(
            ["<@alice:localhost> today", "<@alice:localhost> late", "<@alice:localhost> after"], service.Lines(_room));
        Assert.EndsWith("<@alice:localhost> old", Assert.Single(File.ReadAllLines(PathOf(service, "20260901.log"))));
        Assert.Matches(
            """^\{.*,"fetched_ts":7,"received_ts":\d{13}\}$""", Assert.Single(File.ReadAllLines(PathOf(service, "20260901.jsonl"))));
        Assert.Matches("""[^7],"received_ts":\d{13}\}$""", service.Record(_room)[1]);
        Assert.Matches(""","fetched_ts":7,"received_ts":\d{13}\}$""", service.Record(_room)[2]);
        Assert.Equal("20261123.log", new FileInfo(PathOf(service, "latest.log")).LinkTarget);
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Days_that_alternate_in_the_journal_are_repaired_after_a_kill()
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(_time, folder);
        for (var i = 0; i < 6; i++)
        {
            await service.PushAsync($"{i}", Some.Message(_room, $"pushed {i}"));
            await FetchAsync(service, OldDay.AddDays(i % 2), Some.Message(_room, $"fetched {i}"));
        }

        folder = await service.StopAsync(folder, isKilled: true);
        service = new ServiceUnderTest(_time, folder);
        await service.PushAsync("after", Some.Message(_room, "after"));
        Assert.Equal(7, service.Lines(_room).Count);
        Assert.Equal(3, File.ReadAllLines(PathOf(service, "20260901.log")).Length);
        Assert.Equal(3, File.ReadAllLines(PathOf(service, "20260902.jsonl")).Length);
        LogFolder.AssertLineForLine(service.Logs);
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(",\"fetched_ts\":5}")]
    [InlineData(",\n\"fetched_ts\" :\n 5\n}")]
    [InlineData(",\"fetched_ts\":5,\"received_ts\":6}")]
    public async Task No_pushed_event_looks_like_a_fetched_one(string end)
    {
        using var service = new ServiceUnderTest();
        await service.PushAsync("1", Some.Message(_room)[..^1] + end);
        var line = Assert.Single(service.Record(_room));
        Assert.DoesNotMatch(""","fetched_ts":\d+,"received_ts":\d+\}$""", line);
        Assert.Null(RoomEvent.FromRecord(System.Text.Encoding.UTF8.GetBytes(line))!.FetchedTs);
    }

    [Fact]
    public async Task A_note_that_logging_stopped_counts_although_fetched_events_follow_it()
    {
        using var service = new ServiceUnderTest();
        await service.PushAsync("1", Some.Message(_room));
        var logs = service.Services.GetRequiredService<LogDirectory>();
        await logs.AppendAsync([Note.Create(Note.LoggingStopped, _room, "$cause")], [], "");
        await FetchAsync(service, day: null, Some.Message(_room, "late"));
        Assert.Equal(Note.LoggingStopped, logs.FindLast(_room)!.Type);
    }

    [Fact]
    public async Task Ids_of_all_days_are_known_where_the_newest_days_are_not_enough()
    {
        using var service = new ServiceUnderTest(_time);
        await service.PushAsync("old", Some.Message(_room, eventId: "$old"));
        for (var day = 1; day <= KnownEvents.Days + 2; day++)
        {
            _time.Advance(TimeSpan.FromDays(1));
            await service.PushAsync($"{day}", Some.Message(_room));
        }

        await service.PushAsync("today", Some.Message(_room, eventId: "$today"));
        var folder = Path.Combine(service.Logs, _room);
        var before = Directory.GetFiles(folder);
        var known = KnownEvents.OpenAll(folder);
        Assert.True(known.Contains("$old"));
        Assert.True(known.Contains("$today"));
        Assert.False(known.Contains("$other"));
        Assert.Equal(before.Order(), Directory.GetFiles(folder).Order());
    }

    private string PathOf(ServiceUnderTest service, string file) => Path.Combine(service.Logs, _room, file);

    private static async Task FetchAsync(ServiceUnderTest service, DateOnly? day, string json)
    {
        _ = service.Client;
        var e = RoomEvent.FromJournal(System.Text.Encoding.UTF8.GetBytes(json), isNote: false)!;
        var logs = service.Services.GetRequiredService<LogDirectory>();
        await logs.AppendAsync([JournalEntry.OfFetched(e, fetchedTs: 7, day)]);
        await logs.CaughtUpAsync();
    }
}
