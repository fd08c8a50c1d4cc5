using System.Net;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using LoggingService.Visibility;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Pages;

/// <summary>Who may see what: only what was public when it happened, in rooms that are public now.</summary>
public sealed class PageVisibilityTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageVisibilityTests() => _room = new(_folder);

    private DateOnly Today => DateOnly.FromDateTime(_room.Time.GetUtcNow().UtcDateTime);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_reader_sees_what_was_said_while_anyone_could_read_the_history()
    {
        await _room.SayAsync("unknown-then");
        await _room.SetVisibilityAsync("shared");
        await _room.SayAsync("private-then");
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("public-then");
        await _room.SetVisibilityAsync("joined");
        await _room.SayAsync("private-again");
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("public-again");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        foreach (var address in (string[])[_room.Day, $"{_room.Day}.txt", $"{_room.Day}.jsonl", $"/r/{_room.Id}/feed.atom"])
        {
            var page = await pages.ReadAsync(address);
            Assert.Contains("public-then", page, StringComparison.Ordinal);
            Assert.Contains("public-again", page, StringComparison.Ordinal);
            Assert.DoesNotContain("private-", page, StringComparison.Ordinal);
            Assert.DoesNotContain("unknown-then", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_last_event_of_a_room_is_one_that_a_reader_sees()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var seen = await SeeLastAsync();
        _room.Time.Advance(TimeSpan.FromMinutes(10));
        await _room.PushAsync(
            "m.room.message", """{"msgtype":"m.text","body":"spam"}""",
            more: ",\"unsigned\":{\"io.element.synapse.soft_failed\":true}");
        await UntilReadAsync();
        Assert.Contains(seen, await pages.ReadAsync("/"), StringComparison.Ordinal);
        _room.Time.Advance(TimeSpan.FromMinutes(10));
        await _room.SayAsync("hello again");
        await UntilReadAsync();
        await SeeLastAsync();
        Assert.Equal(3, pages.Rooms.Find(Reader.Anonymous, _room.Id)!.CountOf(Today));

        async Task<string> SeeLastAsync()
        {
            var time = $"datetime=\"{_room.Time.GetUtcNow():yyyy-MM-ddTHH:mm:ss}.";
            Assert.Contains(time, await pages.ReadAsync("/"), StringComparison.Ordinal);
            return time;
        }

        Task UntilReadAsync() => Wait.UntilAsync(
            () => pages.Rooms.Find(Reader.Anonymous, _room.Id)!.FactsOf(Today)!.LastReceivedAt
                == _room.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            "the last line is read");
    }

    [Theory]
    [InlineData("shared")]
    [InlineData("invited")]
    [InlineData("joined")]
    [InlineData("World_Readable")]
    public async Task A_room_that_is_not_public_now_is_not_there(string visibility)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("before");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Contains("before", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
        await _room.SetVisibilityAsync(visibility);
        await UntilNotFoundAsync(pages, _room.Day);
        Assert.DoesNotContain(_room.Id, await pages.ReadAsync("/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("m.room.robots", """{"allow":false}""")]
    [InlineData("m.room.robots", """{"messages":false}""")]
    [InlineData("m.room.robots", """{"log":false}""")]
    public async Task The_moderators_of_a_room_can_keep_it_off_the_pages(string type, string content)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await pages.ReadAsync(_room.Day);
        await _room.StateAsync(type, content);
        await UntilNotFoundAsync(pages, _room.Day);
        await _room.StateAsync(type, "{}");
        await Wait.UntilAsync(() => pages.Rooms.Find(Reader.Anonymous, _room.Id) is not null, "the room is shown again");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_room_stays_public_when_the_day_that_said_so_is_removed(bool isByHand, bool isOfEarlierVersion)
    {
        await _room.SayAsync("unknown-then");
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("first-day");
        await NextDayAsync();
        await _room.SayAsync("second-day");
        if (isOfEarlierVersion)
        {
            await Wait.UntilAsync(() => File.Exists(Path.Combine(_room.Logs, _room.Id, "room.json")), "it is written");
            _room.Service.Services.GetRequiredService<RoomFiles>().ForgetErased(_room.Id, hasLines: false);
        }

        await RemoveFirstDayAsync(isByHand);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Contains("second-day", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("m.room.history_visibility", """{"history_visibility":"shared"}""", false)]
    [InlineData("m.room.history_visibility", """{"history_visibility":"shared"}""", true)]
    [InlineData("m.room.robots", """{"allow":false}""", false)]
    [InlineData("m.room.robots", """{"allow":false}""", true)]
    public async Task A_room_does_not_become_public_when_the_day_that_said_so_is_removed(string type, string content, bool isByHand)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.StateAsync(type, content);
        await NextDayAsync();
        await _room.SayAsync("second-day");
        await RemoveFirstDayAsync(isByHand);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
    }

    [Fact]
    public async Task What_was_said_before_the_history_became_public_stays_hidden_when_earlier_days_are_removed()
    {
        await _room.SetVisibilityAsync("shared");
        await NextDayAsync();
        await _room.SayAsync("private-then");
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("public-then");
        await RemoveFirstDayAsync(isByHand: false);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var page = await pages.ReadAsync(_room.Day);
        Assert.Contains("public-then", page, StringComparison.Ordinal);
        Assert.DoesNotContain("private-then", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logging.stopped")]
    [InlineData("events.missing")]
    public async Task After_a_time_for_which_the_log_may_lack_state_the_room_is_not_public(string note)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("before");
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        await File.AppendAllTextAsync(
            record,
            $$"""{"content":{},"event_id":"{{note}}-1","room_id":"{{_room.Id}}","type":"{{note}}","received_ts":1795435208000,"""
                + "\"note\":true}\n",
            TestContext.Current.CancellationToken);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
    }

    [Fact]
    public async Task Soft_failed_events_and_spam_are_not_there()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        (string Mark, string Body)[] events = [("soft_failed", "failed-words"), ("policy_server_spammy", "spam-words")];
        foreach (var (mark, body) in events)
        {
            var id = await _room.PushAsync(
                "m.room.message", $$"""{"msgtype":"m.text","body":"{{body}}"}""",
                more: $$""","unsigned":{"io.element.synapse.{{mark}}":true}""");
            await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
            Assert.DoesNotContain("-words", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync($"/r/{_room.Id}/e/{Uri.EscapeDataString(id)}")).Status);
        }

        // A soft-failed change of the visibility is none.
        await _room.PushAsync(
            "m.room.history_visibility", """{"history_visibility":"joined"}""",
            more: ""","state_key":"","unsigned":{"io.element.synapse.soft_failed":true}""");
        await using var after = await PagesUnderTest.StartAsync(_room.Logs);
        await after.ReadAsync(_room.Day);
    }

    [Fact]
    public async Task What_does_not_exist_and_what_may_not_be_seen_get_the_same_answer()
    {
        await _room.SetVisibilityAsync("shared");
        var id = await _room.SayAsync("private");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var unknown = await pages.GetAsync("/nowhere");
        Assert.Equal(HttpStatusCode.NotFound, unknown.Status);
        string[] addresses =
        [
            _room.Day, $"{_room.Day}.txt", $"{_room.Day}.jsonl", $"/r/{_room.Id}", $"/r/{_room.Id}/latest", $"/r/{_room.Id}/feed.atom",
            $"/r/{_room.Id}/e/{Uri.EscapeDataString(id)}", $"/r/{_room.Id}/2026", "/r/!unknown:localhost", "/r/%FF", "/r/..%2F..%2Fetc",
            "/assets/pages.js", "/R/", "//", $"{_room.Day}.html", $"/r/{_room.Id}/2026/11.html", $"/r/{_room.Id}/live?from=20261123-0-x",
        ];
        foreach (var address in addresses)
        {
            var response = await pages.GetAsync(address);
            Assert.Equal(HttpStatusCode.NotFound, response.Status);
            Assert.Equal(unknown.Body, response.Body);
            Assert.Equal(
                unknown.Headers.Where(header => header.Key != "Date").OrderBy(header => header.Key),
                response.Headers.Where(header => header.Key != "Date").OrderBy(header => header.Key));
        }
    }

    [Fact]
    public async Task What_an_admin_hides_is_off_the_pages_until_it_is_shown_again()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync("hidden-event");
        await _room.SayAsync("hidden-user", PublicRoom.Bob);
        await _room.SayAsync("shown");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Contains("hidden-event", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
        await HideAsync("--event", id);
        await UntilGoneAsync(pages, "hidden-event");
        await HideAsync("--user", PublicRoom.Bob);
        await UntilGoneAsync(pages, "hidden-user");
        Assert.DoesNotContain(PublicRoom.Bob, await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
        Assert.Contains("shown", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
        await HideAsync("--room", _room.Id);
        await UntilNotFoundAsync(pages, _room.Day);
        await HideAsync("--room", _room.Id, "--undo");
        await HideAsync("--event", id, "--undo");
        await Wait.UntilAsync(
            async () => (await pages.GetAsync(_room.Day)).Body.Contains("hidden-event", StringComparison.Ordinal), "it is shown again");
        Assert.Contains("hidden-user", string.Concat(_room.Service.Record(_room.Id)), StringComparison.Ordinal);
    }

    private static Task UntilNotFoundAsync(PagesUnderTest pages, string address) => Wait.UntilAsync(
        async () => (await pages.GetAsync(address)).Status == HttpStatusCode.NotFound, "the room is not shown any more");

    private async Task HideAsync(params string[] options)
    {
        await using var process = ServiceProcess.Start(_folder.Path, ["hide", .. options]);
        Assert.True(await process.WaitForExitAsync() == 0, string.Join('\n', process.Output));
    }

    private Task UntilGoneAsync(PagesUnderTest pages, string word) => Wait.UntilAsync(
        async () => !(await pages.ReadAsync(_room.Day)).Contains(word, StringComparison.Ordinal), $"{word} is hidden");

    private async Task NextDayAsync()
    {
        await _room.Service.CheckpointAsync();
        _room.Time.Advance(TimeSpan.FromDays(1));
    }

    /// <summary>Removes the first of two days.</summary>
    private async Task RemoveFirstDayAsync(bool isByHand)
    {
        var today = DateOnly.FromDateTime(_room.Time.GetUtcNow().DateTime);
        if (isByHand)
        {
            foreach (var file in Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), $"{today.AddDays(-1):yyyyMMdd}.*"))
                File.Delete(file);
        }
        else
        {
            await _room.Service.Services.GetRequiredService<LogDirectory>().RemoveDaysBeforeAsync(today, "a test");
        }

        Assert.Single(Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl"));
    }
}
