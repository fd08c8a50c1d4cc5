using System.Globalization;
using System.Net;
using System.Text;
using LoggingService.Erasure;
using LoggingService.Events;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Pages;

/// <summary>Who may see a room whose record no longer says it: what <c>room.json</c> keeps.</summary>
public sealed class KeptVisibilityTests : IDisposable
{
    private const string Refusal = """{"allow":false}""";
    private const string Permission = """{"allow":true}""";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public KeptVisibilityTests() => _room = new(_folder);

    private string Properties => Path.Combine(_room.Logs, _room.Id, "room.json");

    private DateOnly Today => DateOnly.FromDateTime(_room.Time.GetUtcNow().DateTime);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_change_that_could_not_be_written_before_a_stop_is_kept_when_its_day_is_removed()
    {
        await _room.SayAsync("hello");
        Directory.CreateDirectory($"{Properties}.new/obstacle");
        await _room.SetVisibilityAsync("world_readable");
        await _room.Service.DisposeAsync();
        Assert.False(File.Exists(Properties));
        Directory.Delete($"{Properties}.new", recursive: true);
        _room.Time.Advance(TimeSpan.FromDays(1));
        using var service = new ServiceUnderTest(_room.Time, _folder);
        await service.PushAsync("next", Some.Message(_room.Id, "second-day", at: _room.Time.GetUtcNow().ToUnixTimeMilliseconds()));
        await service.Services.GetRequiredService<LogDirectory>().RemoveDaysBeforeAsync(Today, "a test");
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(Properties)!, "*.jsonl"));
        await AssertShownAsync(true);
    }

    [Theory]
    [InlineData(2, "2026-11-23T21:30:00Z", true)]
    [InlineData(2, "2026-11-23T22:30:00Z", false)]
    [InlineData(-5, "2026-11-24T04:30:00Z", true)]
    [InlineData(-5, "2026-11-24T05:30:00Z", false)]
    [InlineData(-5, "2026-11-25T04:30:00Z", false)]
    public async Task What_was_sent_since_the_start_of_an_unreadable_day_is_hidden(int hours, string sentAt, bool isShown)
    {
        _room.Time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(hours), "x", "x"));
        await _room.SetVisibilityAsync("world_readable");
        await NextDayAsync();
        await _room.SayAsync("hello");
        await NextDayAsync();
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("third-day");
        var time = DateTimeOffset.Parse(sentAt, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
        await FetchAsync("m.room.message", """{"msgtype":"m.text","body":"fetched-words"}""", time, stateKey: null);
        var unreadable = Path.Combine(_room.Logs, _room.Id, "20261124.jsonl");
        File.Delete(unreadable);
        await File.WriteAllTextAsync($"{unreadable}.gz", "not compressed", TestContext.Current.CancellationToken);
        await RemoveDaysAsync();
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var page = await pages.ReadAsync(_room.Day);
        Assert.Contains("third-day", page, StringComparison.Ordinal);
        Assert.Equal(isShown, page.Contains("fetched-words", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Permission, Refusal, false)]
    [InlineData(Permission, Refusal, true)]
    [InlineData(Refusal, Permission, false)]
    [InlineData(Refusal, Permission, true)]
    public async Task What_moderators_wanted_earlier_does_not_count_when_it_is_fetched_later(string now, string earlier, bool isRemoved)
    {
        await _room.SetVisibilityAsync("world_readable");
        var time = _room.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await _room.StateAsync("m.room.robots", now);
        await FetchAsync("m.room.robots", earlier, time);
        await NextDayAsync();
        await _room.SayAsync("hello");
        if (isRemoved)
            await RemoveDaysAsync();
        await AssertShownAsync(now == Permission);
    }

    [Theory]
    [InlineData(Permission, Refusal)]
    [InlineData(Refusal, Permission)]
    public async Task What_moderators_wanted_earlier_does_not_count_when_the_day_of_their_last_wish_is_removed(string now, string earlier)
    {
        await _room.SetVisibilityAsync("world_readable");
        var time = _room.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await _room.StateAsync("m.room.robots", now);
        await NextDayAsync();
        await FetchAsync("m.room.robots", earlier, time);
        await _room.SayAsync("hello");
        await RemoveDaysAsync();
        await AssertShownAsync(now == Permission);
    }

    [Fact]
    public async Task What_moderators_wanted_earlier_does_not_count_when_its_day_is_removed()
    {
        await _room.SetVisibilityAsync("world_readable");
        await NextDayAsync();
        await _room.StateAsync("m.room.robots", Permission);
        await RemoveDaysAsync();
        await NextDayAsync();
        await _room.StateAsync("m.room.robots", Refusal);
        await RemoveDaysAsync();
        await NextDayAsync();
        await _room.SayAsync("hello");
        File.Delete(Path.Combine(_room.Logs, _room.Id, $"{Today.AddDays(-1):yyyyMMdd}.jsonl"));
        await AssertShownAsync(false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_room_that_moderators_keep_off_the_pages_stays_off_after_its_erasure(bool hasLaterLines)
    {
        await _room.StateAsync("m.room.robots", Refusal);
        var until = _room.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (hasLaterLines)
            await _room.SetVisibilityAsync("world_readable");
        await EraseAsync(hasLaterLines ? until : null);
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await AssertShownAsync(false);
    }

    [Fact]
    public async Task After_an_erasure_a_room_is_not_shown_because_its_history_was_public_before_a_change_that_was_erased()
    {
        await _room.StateAsync("m.room.retention", """{"max_lifetime":3456000000}""");
        await _room.SetVisibilityAsync("world_readable");
        await NextDayAsync();
        await _room.SetVisibilityAsync("shared");
        var until = _room.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await _room.SayAsync("hello");
        await EraseAsync(until);
        Assert.Single(_room.Service.Record(_room.Id));
        await AssertShownAsync(false);
    }

    [Fact]
    public async Task A_room_whose_room_json_cannot_be_read_is_not_shown_until_it_can()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await Wait.UntilAsync(() => File.Exists(Properties), "it is written");
        File.Move(Properties, _folder["room.json"]);
        File.CreateSymbolicLink(Properties, Properties);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
        File.Move(_folder["room.json"], Properties, overwrite: true);
        await _room.SayAsync("again");
        await Wait.UntilAsync(async () => (await pages.GetAsync(_room.Day)).Status == HttpStatusCode.OK, "the room is shown again");
    }

    private async Task AssertShownAsync(bool isShown)
    {
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(isShown ? HttpStatusCode.OK : HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
    }

    private async Task NextDayAsync()
    {
        await _room.Service.CheckpointAsync();
        _room.Time.Advance(TimeSpan.FromDays(1));
    }

    private Task RemoveDaysAsync() =>
        _room.Service.Services.GetRequiredService<LogDirectory>().RemoveDaysBeforeAsync(Today, "a test");

    /// <summary>Logs an event as one that the service fetched.</summary>
    private async Task FetchAsync(string type, string content, long sentAt, string? stateKey = "")
    {
        var json = $$"""{"content":{{content}},"event_id":"{{Some.EventId()}}","origin_server_ts":{{sentAt}},"room_id":"{{_room.Id}}","""
            + $$""" "sender":"{{PublicRoom.Alice}}","type":"{{type}}"{{(stateKey is null ? "" : $",\"state_key\":\"{stateKey}\"")}}}""";
        var e = RoomEvent.FromJournal(Encoding.UTF8.GetBytes(json), isNote: false)!;
        var logs = _room.Service.Services.GetRequiredService<LogDirectory>();
        await logs.AppendAsync([JournalEntry.OfFetched(e, _room.Time.GetUtcNow().ToUnixTimeMilliseconds(), day: null)]);
        await logs.CaughtUpAsync();
    }

    /// <summary>Lets the service erase the room.</summary>
    /// <param name="until">When an interrupted erasure had begun: what was logged later stays; <c>null</c> for all.</param>
    private async Task EraseAsync(long? until)
    {
        new ErasureFiles(_room.Logs).WriteRequest(new() { Room = _room.Id, IsResumed = until is not null, MarkedAt = until });
        await Wait.UntilAsync(() => !File.Exists(Path.Combine(_room.Logs, ".erase")), "the room is erased");
    }
}
