using System.Net;
using LoggingService.Pages;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Pages;

/// <summary>Where files are damaged, or tell less than usual, less is shown, not more.</summary>
public sealed class PageFaultTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageFaultTests() => _room = new(_folder);

    private string HiddenFile => HiddenEvents.PathOf(_room.Logs);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("{\"event\":\"$x\n")]
    [InlineData("\n")]
    [InlineData(null)]
    public async Task No_room_is_shown_while_the_list_of_what_is_hidden_cannot_be_read(string? damage)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await pages.ReadAsync(_room.Day);
        Damage(damage);
        await Wait.UntilAsync(
            async () => (await pages.GetAsync(_room.Day)).Status == HttpStatusCode.ServiceUnavailable, "the room is not shown");
        Assert.DoesNotContain(_room.Id, await pages.ReadAsync("/"), StringComparison.Ordinal);
        Repair(damage);
        await Wait.UntilAsync(async () => (await pages.GetAsync(_room.Day)).Status == HttpStatusCode.OK, "the room is shown again");
    }

    [Fact]
    public async Task An_open_page_ends_when_the_list_of_what_is_hidden_is_damaged()
    {
        await _room.SetVisibilityAsync("world_readable");
        var secret = await _room.SayAsync("secret");
        new HiddenEvents(_room.Logs).Set("event", secret, isHidden: true);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await using var live = await pages.FollowAsync(_room.Day);

        // At once: an empty file hides nothing.
        await File.WriteAllTextAsync(_folder["damaged"], "{\"event\":\"$x\n", TestContext.Current.CancellationToken);
        File.Move(_folder["damaged"], HiddenFile, overwrite: true);
        Assert.Equal("gone", (await live.NextAsync())!.Value.Type);
        Assert.Null(await live.NextAsync());
    }

    [Fact]
    public async Task A_page_that_a_browser_kept_is_not_current_after_something_else_was_hidden_and_a_restart()
    {
        await _room.SetVisibilityAsync("world_readable");
        var (first, second) = (await _room.SayAsync("first-words"), await _room.SayAsync("second-words"));
        var day = _room.Day;
        _room.Time.Advance(TimeSpan.FromDays(1));
        await _room.SayAsync("next day");
        var hidden = new HiddenEvents(_room.Logs);
        hidden.Set("event", first, isHidden: true);
        string tag;
        await using (var pages = await PagesUnderTest.StartAsync(_room.Logs))
        {
            tag = (await pages.GetAsync(day)).Headers["ETag"];
            Assert.Equal(HttpStatusCode.NotModified, (await pages.GetAsync(day, ("If-None-Match", tag))).Status);
        }

        hidden.Set("event", first, isHidden: false);
        hidden.Set("event", second, isHidden: true);
        await using var restarted = await PagesUnderTest.StartAsync(_room.Logs);
        var page = await restarted.GetAsync(day, ("If-None-Match", tag));
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.DoesNotContain("second-words", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notes_do_not_name_hidden_users_or_what_the_room_was_like_at_first()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await AppendAsync(
            Note("service.removed", $$"""{"membership":"leave","by":"{{PublicRoom.Bob}}"}"""),
            Note("state.first", """{"name":"first-name","topic":"first-topic","members":1,"listed":1}"""),
            Note("state.members", $$$"""{"members":{"{{{PublicRoom.Alice}}}":"first-member"}}"""));
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Contains(PublicRoom.Bob, await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
        new HiddenEvents(_room.Logs).Set("user", PublicRoom.Bob, isHidden: true);
        await Wait.UntilAsync(
            async () => !(await pages.ReadAsync(_room.Day)).Contains(PublicRoom.Bob, StringComparison.Ordinal), "the user is hidden");
        foreach (var address in (string[])[_room.Day, $"{_room.Day}.txt", $"{_room.Day}.jsonl", $"/r/{_room.Id}/feed.atom"])
        {
            var page = await pages.ReadAsync(address);
            Assert.Contains("hello", page, StringComparison.Ordinal);
            Assert.DoesNotContain("first-", page, StringComparison.Ordinal);
            Assert.DoesNotContain(PublicRoom.Bob, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_refusal_of_the_moderators_that_was_fetched_keeps_the_room_off_the_pages()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.StateAsync("m.room.robots", """{"allow":true}""");
        await _room.SayAsync("hello");
        await AppendAsync(State("m.room.robots", """{"allow":false}""", sentAt: _room.Time.GetUtcNow().ToUnixTimeMilliseconds()));
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
    }

    [Fact]
    public async Task A_change_that_was_fetched_later_hides_the_room_although_the_clock_of_its_server_is_slow()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        var fiveMinutesSlow = _room.Time.GetUtcNow().AddMinutes(-5).ToUnixTimeMilliseconds();
        await AppendAsync(State("m.room.history_visibility", """{"history_visibility":"shared"}""", fiveMinutesSlow));
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
    }

    [Fact]
    public async Task A_room_with_a_damaged_day_is_not_shown_and_comes_back_when_it_is_repaired()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        var damaged = Path.Combine(_room.Logs, _room.Id, "20200101.jsonl.gz");
        await File.WriteAllTextAsync(damaged, "not compressed", TestContext.Current.CancellationToken);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
        File.Delete(damaged);
        await Wait.UntilAsync(async () => (await pages.GetAsync(_room.Day)).Status == HttpStatusCode.OK, "the room is shown again");
    }

    [Fact]
    public void Formatting_that_is_never_closed_does_not_multiply_in_each_paragraph()
    {
        var open = string.Concat(Enumerable.Range(0, 90).Select(i => $"<b a{i}>"));
        var attack = $"<p>{open}</p>{string.Concat(Enumerable.Repeat("<p>x</p>", 4000))}";
        Assert.False(SanitizedHtml.TryCreate(attack, Text.English, out _));

        var ordinary = string.Concat(Enumerable.Repeat("<p><b>a</b> <i><code>b</code></i></p>", 1000));
        Assert.True(SanitizedHtml.TryCreate(ordinary, Text.English, out _));
    }

    private void Damage(string? damage)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(HiddenFile)!);
        if (damage is null)
        {
            Directory.CreateDirectory(HiddenFile);
        }
        else
        {
            File.WriteAllText(HiddenFile, damage);
        }
    }

    private void Repair(string? damage)
    {
        if (damage is null)
        {
            Directory.Delete(HiddenFile);
        }
        else
        {
            File.WriteAllText(HiddenFile, "{\"event\":\"$x\"}\n");
        }
    }

    private string Note(string type, string content) =>
        $$"""{"content":{{content}},"event_id":"{{type}}-1","room_id":"{{_room.Id}}","type":"{{type}}" """.TrimEnd()
        + $$""","received_ts":{{_room.Time.GetUtcNow().ToUnixTimeMilliseconds()}},"note":true}""";

    /// <summary>A state event that was fetched.</summary>
    private string State(string type, string content, long sentAt) =>
        $$"""{"content":{{content}},"event_id":"$fetched-{{type}}","origin_server_ts":{{sentAt}},"room_id":"{{_room.Id}}","""
        + $$""" "sender":"{{PublicRoom.Alice}}","state_key":"","type":"{{type}}" """.TrimEnd()
        + $$""","fetched_ts":1,"received_ts":{{_room.Time.GetUtcNow().ToUnixTimeMilliseconds()}}}""";

    private Task AppendAsync(params string[] lines)
    {
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Order().Last();
        return File.AppendAllLinesAsync(record, lines, TestContext.Current.CancellationToken);
    }
}
