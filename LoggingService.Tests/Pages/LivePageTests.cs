using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Pages;

/// <summary>The page of the newest day shows lines as they are logged.</summary>
public sealed class LivePageTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public LivePageTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_new_line_is_appended_and_what_changes_of_it_replaces_it()
    {
        await _room.SetVisibilityAsync("world_readable");
        var old = await _room.SayAsync("an old line");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await using var live = await pages.FollowAsync(_room.Day);

        var id = await _room.SayAsync("hello <b>there</b>");
        Assert.Matches("^line .*hello &lt;b&gt;there&lt;/b&gt;", await NextAsync(live, id));
        await _room.PushAsync("m.reaction", Relation("m.annotation", id, ",\"key\":\"👍\""), PublicRoom.Bob);
        Assert.Matches("^change .*&#x1F44D;", await NextAsync(live, id));
        await _room.PushAsync("m.reaction", Relation("m.annotation", old, ",\"key\":\"👎\""), PublicRoom.Bob);
        Assert.Matches("^change .*an old line.*&#x1F44E;", await NextAsync(live, old));
        await _room.PushAsync("m.room.message", $$"""
            {"msgtype":"m.text","body":"* bye","m.new_content":{"msgtype":"m.text","body":"bye"},{{Relation("m.replace", id)[1..]}}
            """);
        Assert.Matches("^change .*bye.*edited", await NextAsync(live, id));
        await _room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"{id}\"");
        var removed = await NextAsync(live, id);
        Assert.Matches("^change .*Message removed", removed);
        Assert.DoesNotContain("bye", removed, StringComparison.Ordinal);
        var topic = await _room.StateAsync("m.room.topic", """{"topic":"tea"}""");
        Assert.Matches("^line .*class=\"sentence\".*tea", await NextAsync(live, topic));
        Assert.Contains($"-{Anchor(topic)}-", live.LastEventId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_hidden_goes_from_the_open_page_and_comes_back()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync("secret");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await using var live = await pages.FollowAsync(_room.Day);

        var hidden = new HiddenEvents(_room.Logs);
        hidden.Set("event", id, isHidden: true);
        var stub = await NextAsync(live, id);
        Assert.Matches("^change .*Hidden by the administrators", stub);
        Assert.DoesNotContain("secret", stub, StringComparison.Ordinal);
        hidden.Set("event", id, isHidden: false);
        Assert.Matches("^change .*secret", await NextAsync(live, id));
        hidden.Set("room", _room.Id, isHidden: true);
        Assert.Equal("gone", (await live.NextAsync())!.Value.Type);
        Assert.Null(await live.NextAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync($"/r/{_room.Id}/live?from={live.LastEventId}")).Status);
    }

    [Fact]
    public async Task A_reader_who_connects_again_gets_what_was_missed_once_also_from_another_process()
    {
        await _room.SetVisibilityAsync("world_readable");
        string last;
        await using (var pages = await PagesUnderTest.StartAsync(_room.Logs))
        {
            await using var live = await pages.FollowAsync(_room.Day);
            await NextAsync(live, await _room.SayAsync("one"));
            last = live.LastEventId;
        }

        var two = await _room.SayAsync("two");
        var three = await _room.SayAsync("three");
        await using (var pages = await PagesUnderTest.StartAsync(_room.Logs))
        {
            await using var again = await pages.FollowAsync(_room.Day, last);
            Assert.Matches("^line .*two", await NextAsync(again, two));
            Assert.Matches("^line .*three", await NextAsync(again, three));
            last = again.LastEventId;
            await using var upToDate = await pages.FollowAsync(_room.Day, last);
            var four = await _room.SayAsync("four");
            Assert.Matches("^line .*four", await NextAsync(again, four));
            Assert.Matches("^line .*four", await NextAsync(upToDate, four));

            // A removal while nobody is connected: all lines are sent again, as changes.
            await _room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"{two}\"");
            await NextAsync(again, two);
            await using var late = await pages.FollowAsync(_room.Day, last);
            var events = new List<string>();
            while (events.LastOrDefault()?.Contains(Anchor(four), StringComparison.Ordinal) != true)
            {
                var (type, data) = (await late.NextAsync())!.Value;
                events.Add($"{type} {data}");
            }

            Assert.Contains(events, e => e.StartsWith("change ", StringComparison.Ordinal)
                && e.Contains(Anchor(two), StringComparison.Ordinal) && e.Contains("Message removed", StringComparison.Ordinal));
            Assert.Single(events, e => e.StartsWith("line ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task How_much_was_said_while_the_room_was_private_is_in_no_response()
    {
        for (var i = 0; i < 100; i++)
        {
            await _room.SayAsync("private");
        }

        await _room.SetVisibilityAsync("world_readable");
        var one = await _room.SayAsync("one");
        string last;
        await using (var pages = await PagesUnderTest.StartAsync(_room.Logs))
        {
            Assert.Matches($"from=20261123-{Anchor(one)}-[0-9a-f]{{16}}\"", await pages.ReadAsync(_room.Day));
            await using var live = await pages.FollowAsync(_room.Day);
            var two = await _room.SayAsync("two");
            await NextAsync(live, two);
            last = live.LastEventId;
            Assert.Matches($"^20261123-{Anchor(two)}-[0-9a-f]{{16}}$", last);
        }

        await _room.SetVisibilityAsync("joined");
        await _room.SayAsync("private again");
        await _room.SetVisibilityAsync("world_readable");
        var three = await _room.SayAsync("three");
        await using var later = await PagesUnderTest.StartAsync(_room.Logs);
        await using var again = await later.FollowAsync(_room.Day, last);
        (string Type, string Data) sent = default;
        while (sent.Data?.Contains(Anchor(three), StringComparison.Ordinal) != true)
        {
            sent = (await again.NextAsync())!.Value;
            Assert.DoesNotMatch("private|>one<|>two<", sent.Data);
            Assert.Equal("line", sent.Type);
        }

        Assert.StartsWith($"20261123-{Anchor(three)}-", again.LastEventId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_day_before_the_newest_has_a_rest_to_send()
    {
        await _room.SetVisibilityAsync("world_readable");
        var first = await _room.SayAsync("first day");
        _room.Time.Advance(TimeSpan.FromDays(1));
        var (one, two) = (await _room.SayAsync("one"), await _room.SayAsync("two"));
        _room.Time.Advance(TimeSpan.FromDays(1));
        await _room.SayAsync("newest day");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        foreach (var from in (string[])["20261122-0-x", "20261123-0-x", $"20261123-{Anchor(first)}-x"])
        {
            await using var old = await pages.OpenLiveAsync(_room.Id, from);
            Assert.Equal(("day", _room.Day), await old.NextAsync());
            Assert.Null(await old.NextAsync());
        }

        await using var live = await pages.OpenLiveAsync(_room.Id, $"20261124-{Anchor(one)}-x");
        Assert.Matches("^change .*one", await NextAsync(live, one));
        Assert.Matches("^line .*two", await NextAsync(live, two));
        Assert.Equal(("day", _room.Day), await live.NextAsync());
        await using var unknown = await pages.OpenLiveAsync(_room.Id, "20261124-0-x");
        Assert.Equal("reload", (await unknown.NextAsync())!.Value.Type);
    }

    [Fact]
    public async Task After_midnight_the_rest_of_the_day_is_sent_and_a_link_to_the_new_one()
    {
        await _room.SetVisibilityAsync("world_readable");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var day = _room.Day;
        await using var live = await pages.FollowAsync(day);
        var before = await _room.SayAsync("before");
        await NextAsync(live, before);
        var last = live.LastEventId;
        var missed = await _room.SayAsync("missed");
        await NextAsync(live, missed);
        _room.Time.Advance(TimeSpan.FromDays(1));
        var morning = await _room.SayAsync("good morning");
        Assert.Equal(("day", _room.Day), await live.NextAsync());
        Assert.Null(await live.NextAsync());

        await using var late = await pages.FollowAsync(_room.Day, last);
        Assert.Matches("^line .*missed", await NextAsync(late, missed));
        Assert.Equal(("day", _room.Day), await late.NextAsync());
        await using var next = await pages.FollowAsync(_room.Day);
        var noon = await _room.SayAsync("noon");
        Assert.Matches("^line .*noon", await NextAsync(next, noon));
        Assert.DoesNotContain("data-live", await pages.ReadAsync(day), StringComparison.Ordinal);
        Assert.Contains(Anchor(morning), await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reaction_to_a_message_far_above_is_no_line_of_its_own_and_its_removal_loads_the_page_again()
    {
        await _room.SetVisibilityAsync("world_readable");
        var first = await _room.SayAsync("first");
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        var line = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))[^1];
        await File.AppendAllLinesAsync(
            record, Enumerable.Range(1, 400).Select(i => line.Replace(first, $"$copy{i}", StringComparison.Ordinal)),
            TestContext.Current.CancellationToken);

        // The service repairs a file that another program changed: it becomes a new one.
        await _room.SayAsync("repaired");
        await Wait.UntilAsync(() => File.ReadLines(record).Last().Contains("repaired"), "the file is repaired");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await using var live = await pages.FollowAsync($"{_room.Day}?page=2");
        await _room.PushAsync("m.reaction", Relation("m.annotation", first, ",\"key\":\"👍\""), PublicRoom.Bob);
        var last = await _room.SayAsync("last");
        Assert.Matches("^line .*last", await NextAsync(live, last));
        await _room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"{first}\"");
        Assert.Equal("reload", (await live.NextAsync())!.Value.Type);
        Assert.DoesNotContain("data-live", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readers_of_a_live_page_do_not_take_the_places_of_others()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var readers = new List<LiveEvents>();
        for (var i = 0; i < 50; i++)
        {
            readers.Add(await pages.FollowAsync(_room.Day));
        }

        Assert.Contains("hello", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
        var id = await _room.SayAsync("to all");
        foreach (var reader in readers)
        {
            await NextAsync(reader, id);
            await reader.DisposeAsync();
        }
    }

    /// <summary>The type and the data of the next event, which must be about this one.</summary>
    private static async Task<string> NextAsync(LiveEvents live, string eventId)
    {
        var (type, data) = (await live.NextAsync())!.Value;
        Assert.Contains($"id=\"{Anchor(eventId)}\"", data, StringComparison.Ordinal);
        return $"{type} {Regex.Replace(data, "\\s+", " ")}";
    }

    private static string Anchor(string eventId) => LoggingService.Pages.PageLinks.Anchor(eventId);

    private static string Relation(string type, string target, string more = "") =>
        $$$"""{"m.relates_to":{"rel_type":"{{{type}}}","event_id":"{{{target}}}"{{{more}}}}}""";
}
