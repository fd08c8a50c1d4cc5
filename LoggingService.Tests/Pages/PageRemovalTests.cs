using System.Net;
using System.Text;
using System.Text.Json;
using LoggingService.Events;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Pages;

/// <summary>What was removed is a stub everywhere, also where the log keeps its words and others repeat them.</summary>
public sealed class PageRemovalTests : IDisposable
{
    private const string Secret = "zanzibar";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageRemovalTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("redaction")]
    [InlineData("ban")]
    [InlineData("before it arrived")]
    public async Task A_word_that_was_removed_is_in_no_response(string how)
    {
        await _room.SetVisibilityAsync("world_readable");
        var unsigned = how == "before it arrived" ? ""","unsigned":{"redacted_because":{}}""" : "";
        await _room.StateAsync("m.room.member", $$"""{"membership":"join","displayname":"{{Secret}}"}""", PublicRoom.Bob, PublicRoom.Bob);
        var id = await _room.PushAsync(
            "m.room.message", $$"""{"msgtype":"m.text","body":"{{Secret}} words"}""", PublicRoom.Bob, unsigned);
        var reply = $$$$"""
            {"msgtype":"m.text","body":"> <{{{{PublicRoom.Bob}}}}> {{{{Secret}}}} words\n\nreally?","format":"org.matrix.custom.html",
            "formatted_body":"<mx-reply><blockquote>{{{{Secret}}}} words</blockquote></mx-reply>really?",
            "m.relates_to":{"m.in_reply_to":{"event_id":"{{{{id}}}}"}}}
            """.ReplaceLineEndings("");
        await _room.PushAsync("m.room.message", reply);
        await _room.PushAsync("m.room.message", Edit(id, $"{Secret} words, edited"), PublicRoom.Bob);
        await _room.PushAsync("m.poll.start", Poll(), PublicRoom.Bob, id: "$poll");
        await _room.PushAsync(
            "m.poll.end", $$"""{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"{{Secret}} won"}]}""",
            PublicRoom.Bob);
        await _room.StateAsync("m.room.topic", $$"""{"topic":"{{Secret}} topic"}""", sender: PublicRoom.Bob);
        await _room.PushAsync(
            "m.room.topic", """{"topic":"another"}""",
            more: $$$""","state_key":"","unsigned":{"prev_content":{"topic":"{{{Secret}}} topic"}}""");
        await RemoveAsync(how, id);
        var end = await _room.SayAsync("the end");

        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Contains(Secret, string.Concat(_room.Service.Record(_room.Id)), StringComparison.Ordinal);
        string[] addresses =
        [
            "/", _room.Day, $"{_room.Day}.txt", $"{_room.Day}.jsonl", $"{_room.Day}.html", $"/r/{_room.Id}/2026/11.html", $"/r/{_room.Id}",
            $"/r/{_room.Id}/feed.atom",
        ];
        foreach (var address in addresses)
        {
            Assert.DoesNotContain(Secret, await pages.ReadAsync(address), StringComparison.OrdinalIgnoreCase);
        }

        // A reader who had the day before something was removed gets all of its lines.
        await using (var live = await pages.OpenLiveAsync(_room.Id, $"20261123-{LoggingService.Pages.PageLinks.Anchor(end)}-x"))
        {
            var lines = new List<string>();
            while (lines.LastOrDefault()?.Contains("the end", StringComparison.Ordinal) != true)
            {
                lines.Add((await live.NextAsync())!.Value.Data);
                Assert.DoesNotContain(Secret, lines[^1], StringComparison.OrdinalIgnoreCase);
            }

            Assert.Contains(lines, line => line.Contains("really?", StringComparison.Ordinal));
        }

        await using var export = ServiceProcess.Start(_folder.Path, "export", _room.Id, "--format", "html", "--logs", _room.Logs);
        Assert.Equal(0, await export.WaitForExitAsync());
        var file = await File.ReadAllTextAsync(_folder[$"export/{_room.Id}.html"], TestContext.Current.CancellationToken);
        Assert.Contains("really?", file, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, file, StringComparison.OrdinalIgnoreCase);
        var page = await pages.ReadAsync(_room.Day);
        Assert.Contains("Message removed", page, StringComparison.Ordinal);
        Assert.Contains("really?", page, StringComparison.Ordinal);
        Assert.Contains("the end", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Found, (await pages.GetAsync($"/r/{_room.Id}/e/{Uri.EscapeDataString(id)}")).Status);
    }

    [Fact]
    public async Task A_ban_that_was_fetched_removes_what_was_sent_before_it_not_what_is_above_it()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("early-words", PublicRoom.Bob);
        _room.Time.Advance(TimeSpan.FromMinutes(1));
        var bannedAt = _room.Time.GetUtcNow().ToUnixTimeMilliseconds();
        _room.Time.Advance(TimeSpan.FromMinutes(1));
        await _room.SayAsync("later-words", PublicRoom.Bob);
        var ban = $"{{\"content\":{{\"membership\":\"ban\",\"redact_events\":true}},\"event_id\":\"$ban\",\"room_id\":\"{_room.Id}\","
            + $"\"origin_server_ts\":{bannedAt},\"sender\":\"{PublicRoom.Alice}\",\"state_key\":\"{PublicRoom.Bob}\","
            + "\"type\":\"m.room.member\"}";
        var logs = _room.Service.Services.GetRequiredService<LogDirectory>();
        var fetched = RoomEvent.FromJournal(Encoding.UTF8.GetBytes(ban), isNote: false)!;
        await logs.AppendAsync([JournalEntry.OfFetched(fetched, fetchedTs: bannedAt + 60_000, day: null)]);
        await logs.CaughtUpAsync();
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var page = await pages.ReadAsync(_room.Day);
        Assert.Contains("later-words", page, StringComparison.Ordinal);
        Assert.DoesNotContain("early-words", page, StringComparison.Ordinal);
    }

    private async Task RemoveAsync(string how, string id)
    {
        if (how == "ban")
        {
            await _room.StateAsync("m.room.member", """{"membership":"ban","redact_events":true}""", PublicRoom.Bob);
            return;
        }

        foreach (var target in _room.Service.Record(_room.Id).Where(line => line.Contains(Secret, StringComparison.Ordinal))
            .Select(line => JsonElement.Parse(line)).Where(e => e.GetProperty("sender").GetString() == PublicRoom.Bob)
            .Select(e => e.GetProperty("event_id").GetString()!).Where(target => target != id || how == "redaction"))
        {
            await _room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"{target}\"");
        }

        await _room.PushAsync("m.room.redaction", "{}", more: ",\"redacts\":\"$poll\"");
    }

    private static string Edit(string original, string body) =>
        $$$"""
        {"msgtype":"m.text","body":"* {{{body}}}","m.new_content":{"msgtype":"m.text","body":"{{{body}}}"},
        "m.relates_to":{"rel_type":"m.replace","event_id":"{{{original}}}"}}
        """.ReplaceLineEndings("");

    private static string Poll() =>
        $$$"""
        {"m.poll":{"question":{"m.text":[{"body":"{{{Secret}}}?"}]},"kind":"m.disclosed",
        "answers":[{"m.id":"a","m.text":[{"body":"{{{Secret}}}!"}]}]}}
        """.ReplaceLineEndings("");
}
