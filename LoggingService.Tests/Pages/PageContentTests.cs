using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>What the pages of a room show, and how they are addressed.</summary>
public sealed class PageContentTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageContentTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_day_is_shown_as_a_chat()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.StateAsync("m.room.member", """{"membership":"join","displayname":"Alice A"}""", PublicRoom.Alice);
        await _room.StateAsync("m.room.name", """{"name":"Tea & <b>cake</b>"}""");
        var id = await _room.SayAsync("I will be their at noon");
        await _room.PushAsync(
            "m.room.message",
            $$$"""
            {"msgtype":"m.text","body":"* there","m.new_content":{"msgtype":"m.text","body":"I will be there"},
            "m.relates_to":{"rel_type":"m.replace","event_id":"{{{id}}}"}}
            """.ReplaceLineEndings(""));
        await _room.PushAsync(
            "m.reaction", $$$"""{"m.relates_to":{"rel_type":"m.annotation","event_id":"{{{id}}}","key":"👍"}}""", PublicRoom.Bob);
        await _room.PushAsync(
            "m.room.message",
            $$$$"""{"msgtype":"m.text","body":"see you","m.relates_to":{"m.in_reply_to":{"event_id":"{{{{id}}}}"}}}""", PublicRoom.Bob);
        await _room.PushAsync(
            "m.room.message",
            $$$"""{"msgtype":"m.text","body":"in a thread","m.relates_to":{"rel_type":"m.thread","event_id":"{{{id}}}"}}""",
            PublicRoom.Bob);
        await _room.PushAsync(
            "m.room.message", """{"msgtype":"m.image","body":"cat.png","url":"mxc://x/y","info":{"size":66500}}""", PublicRoom.Bob);
        await _room.PushAsync("m.room.encrypted", """{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"AwgA"}""", PublicRoom.Bob);
        await _room.PushAsync(
            "m.room.message",
            """{"msgtype":"m.text","body":"x","format":"org.matrix.custom.html","""
            + """ "formatted_body":"<span data-mx-spoiler=\"film\">he dies</span>"}""");
        await _room.PushAsync(
            "m.poll.start",
            """
            {"m.poll":{"question":{"m.text":[{"body":"Soup?"}]},"kind":"m.disclosed",
            "answers":[{"m.id":"a","m.text":[{"body":"yes"}]},{"m.id":"b","m.text":[{"body":"no"}]}]}}
            """.ReplaceLineEndings(""), id: "$poll");
        foreach (var answer in (string[])["b", "a"])
        {
            await _room.PushAsync(
                "m.poll.response",
                $$$"""{"m.selections":["{{{answer}}}"],"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"}}""", PublicRoom.Bob);
        }

        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var page = await pages.ReadAsync(_room.Day);
        var text = TextOf(page);
        Assert.Contains("<title>Tea &amp; &lt;b&gt;cake&lt;/b&gt; · 2026-11-23</title>", page, StringComparison.Ordinal);
        Assert.Contains("Alice A @alice:localhost", text, StringComparison.Ordinal);
        Assert.Matches("I will be there edited Earlier versions \\d\\d:\\d\\d I will be their at noon 👍 1 @bob:localhost", text);
        Assert.Contains("1 reply in the thread", text, StringComparison.Ordinal);
        Assert.Contains("In reply to Alice A I will be there see you", text, StringComparison.Ordinal);
        Assert.Contains("Image: cat.png (66.5 KB)", text, StringComparison.Ordinal);
        Assert.Contains("Encrypted message: it cannot be shown", text, StringComparison.Ordinal);
        Assert.Contains(
            "<span class=\"reason\">Spoiler: film</span> <span class=\"hidden\">he dies</span>", page, StringComparison.Ordinal);
        Assert.Contains("Poll: Soup? yes — 1 vote no — 0 votes", text, StringComparison.Ordinal);
        Assert.DoesNotContain("mxc://", page, StringComparison.Ordinal);
        Assert.Contains("Tea &amp; &lt;b&gt;cake&lt;/b&gt;", await pages.ReadAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_public_room_the_list_says_why_and_what_to_do()
    {
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var text = TextOf(await pages.ReadAsync("/"));
        Assert.Contains("Only rooms whose history anyone may read are shown", text, StringComparison.Ordinal);
        Assert.Contains("“Who can read history?” is set to “Anyone”", text, StringComparison.Ordinal);
        Assert.Contains("m.room.history_visibility to world_readable", text, StringComparison.Ordinal);
        Assert.Contains("Rooms that the service creates get it by its setting HistoryVisibility", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$a/b+c:localhost")]
    [InlineData("$with space & \"quote\" <b>")]
    [InlineData("$é漢字")]
    public async Task A_permalink_leads_to_the_line_whatever_its_id_is(string id)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello", id: id);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var link = $"/r/{Uri.EscapeDataString(_room.Id)}/e/{Uri.EscapeDataString(id)}";
        var response = await pages.GetAsync(link);
        Assert.Equal(HttpStatusCode.Found, response.Status);
        var (address, anchor) = (response.Headers["Location"].Split('#')[0], response.Headers["Location"].Split('#')[1]);
        Assert.Equal(_room.Day, address);
        var page = await pages.ReadAsync(address);
        Assert.Contains($"id=\"{anchor}\"", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"{WebUtility.HtmlEncode(link)}\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Days_lead_to_the_nearest_days_that_have_events_and_past_days_are_cached()
    {
        await _room.SetVisibilityAsync("world_readable");
        var first = _room.Day;
        await _room.SayAsync("first day");
        _room.Time.Advance(TimeSpan.FromDays(3));
        await _room.SayAsync("last day");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var page = await pages.GetAsync(first);
        Assert.Contains($"href=\"{_room.Day}\"", page.Body.Replace("&#x2F;", "/", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day.Replace("/26", "/24", StringComparison.Ordinal))).Status);
        Assert.Equal($"{_room.Day}#end", (await pages.GetAsync($"/r/{_room.Id}/latest")).Headers["Location"]);
        var calendar = await pages.ReadAsync($"/r/{_room.Id}");
        Assert.Equal(2, Regex.Count(calendar, "<li class=\"density-"));
        Assert.Contains("Monday, 23 November 2026, 2 events", calendar, StringComparison.Ordinal);
        Assert.Equal(
            ["Monday: Mo", "Tuesday: Tu", "Wednesday: We", "Thursday: Th", "Friday: Fr", "Saturday: Sa", "Sunday: Su"],
            Regex.Matches(calendar, "<abbr title=\"(.*?)\">(.*?)</abbr>").Select(found => $"{found.Groups[1]}: {found.Groups[2]}"));

        var tag = page.Headers["ETag"];
        Assert.Equal(HttpStatusCode.NotModified, (await pages.GetAsync(first, ("If-None-Match", tag))).Status);
        await _room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"$any\"");
        await Wait.UntilAsync(
            async () => (await pages.GetAsync(first, ("If-None-Match", tag))).Status == HttpStatusCode.OK, "the past day is sent again");
    }

    [Fact]
    public async Task Edits_and_reactions_of_later_days_show_at_their_message()
    {
        await _room.SetVisibilityAsync("world_readable");
        var day = _room.Day;
        var id = await _room.SayAsync("see you tomorow");
        _room.Time.Advance(TimeSpan.FromDays(1));
        await _room.SayAsync("a day between");
        _room.Time.Advance(TimeSpan.FromDays(10));
        await _room.PushAsync("m.room.message", $$$"""
            {"msgtype":"m.text","body":"* see you tomorrow","m.new_content":{"msgtype":"m.text","body":"see you tomorrow"},
            "m.relates_to":{"rel_type":"m.replace","event_id":"{{{id}}}"}}
            """.ReplaceLineEndings(""));
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Matches("see you tomorrow edited Earlier versions \\d\\d:\\d\\d see you tomorow", TextOf(await pages.ReadAsync(day)));

        var tag = (await pages.GetAsync(day)).Headers["ETag"];
        _room.Time.Advance(TimeSpan.FromDays(40));
        await _room.PushAsync(
            "m.reaction", $$$"""{"m.relates_to":{"rel_type":"m.annotation","event_id":"{{{id}}}","key":"👍"}}""", PublicRoom.Bob);
        await Wait.UntilAsync(
            async () => await pages.GetAsync(day, ("If-None-Match", tag)) is { Status: HttpStatusCode.OK } page
                && TextOf(page.Body).Contains("👍 1 @bob:localhost", StringComparison.Ordinal),
            "the past day is sent again with the reaction");
    }

    [Fact]
    public async Task A_long_day_has_pages()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("beginning");
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        var line = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))[^1];
        await File.AppendAllLinesAsync(
            record,
            Enumerable.Range(1, 20_000).Select(i => Regex.Replace(line, "\\$event\\d+", $"$$copy{i}")
                .Replace("beginning", $"number {i}.", StringComparison.Ordinal)),
            TestContext.Current.CancellationToken);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var first = await pages.ReadAsync(_room.Day);
        Assert.Contains("Page 1 of 67", first, StringComparison.Ordinal);
        Assert.True(first.Length < 1_000_000, $"{first.Length}");
        Assert.Contains("number 20000.", await pages.ReadAsync($"{_room.Day}?page=67"), StringComparison.Ordinal);
        var link = (await pages.GetAsync($"/r/{_room.Id}/e/%24copy10000")).Headers["Location"];
        Assert.Contains("?page=34#", link, StringComparison.Ordinal);
        var latest = (await pages.GetAsync($"/r/{_room.Id}/latest")).Headers["Location"];
        Assert.Equal($"{_room.Day}?page=67#end", latest);
        var last = await pages.ReadAsync(latest.Split('#')[0]);
        Assert.Matches("number 20000\\.(?s:.*)<div id=\"end\">(?s:.*) id=\"newest\"", last);
        Assert.Contains("number 10000.", await pages.ReadAsync(link.Split('#')[0]), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync($"{_room.Day}?page=68")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync($"{_room.Day}?page=0")).Status);
    }

    [Theory]
    [InlineData(1, "[1] 2 3 … 9 Later →")]
    [InlineData(4, "← Earlier 1 2 3 [4] 5 6 … 9 Later →")]
    [InlineData(5, "← Earlier 1 2 3 4 [5] 6 7 8 9 Later →")]
    [InlineData(9, "← Earlier 1 … 7 8 [9]")]
    public async Task The_pages_of_a_day_lead_to_the_first_the_last_and_the_nearest(int page, string expected)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("beginning");
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        var line = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))[^1];
        await File.AppendAllLinesAsync(
            record, Enumerable.Range(1, 2500).Select(i => Regex.Replace(line, "\\$event\\d+", $"$$copy{i}")),
            TestContext.Current.CancellationToken);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        using var document = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(await pages.ReadAsync($"{_room.Day}?page={page}"));
        var navs = document.QuerySelectorAll("nav.pages");
        Assert.Equal(
            [$"Page {page} of 9", $"Page {page} of 9, below the messages"], navs.Select(nav => nav.GetAttribute("aria-label")));
        Assert.All(navs, nav => Assert.Equal(expected, string.Join(' ', nav.Children.Select(item =>
            item.GetAttribute("aria-current") == "page" ? $"[{item.TextContent}]" : item.TextContent))));
        Assert.All(navs[0].QuerySelectorAll("a:not([rel])"), link => Assert.EndsWith(
            link.TextContent == "1" ? _room.Day : $"?page={link.TextContent}", link.GetAttribute("href"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pages_work_below_a_path_and_have_the_headers_that_keep_them_safe()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(
            _room.Logs, "--Pages:PathPrefix=/logs", "--Pages:Contact=abuse@localhost", $"--Pages:RobotsAllowed:0={_room.Id}");
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(_room.Day)).Status);
        var page = await pages.GetAsync($"/logs{_room.Day}");
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.All(Regex.Matches(page.Body, "(?:href|src)=\"(/[^\"]*)\""), link => Assert.StartsWith("/logs/", link.Groups[1].Value));
        Assert.Contains(
            "default-src 'none'; style-src 'self'; script-src 'self'", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers["X-Content-Type-Options"]);
        Assert.Equal("no-referrer", page.Headers["Referrer-Policy"]);
        Assert.DoesNotContain("noindex", page.Body, StringComparison.Ordinal);
        Assert.Contains("noindex", await pages.ReadAsync("/logs/"), StringComparison.Ordinal);
        Assert.Contains("mailto:abuse@localhost", page.Body, StringComparison.Ordinal);
        foreach (Match asset in Regex.Matches(page.Body, "(?:href|src)=\"(/logs/assets/[^\"]*)\""))
        {
            Assert.Contains("immutable", (await pages.GetAsync(asset.Groups[1].Value)).Headers["Cache-Control"], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("#logged_tea:example.org", true)]
    [InlineData("#logged_te:example.org", false)]
    public async Task An_alias_that_is_not_the_canonical_one_lets_search_engines_in(string alias, bool isAllowed)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.StateAsync("m.room.canonical_alias", """{"alias":"#other:example.org"}""");
        Directory.CreateSymbolicLink(Path.Combine(_room.Logs, "logged_tea"), _room.Id);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs, $"--Pages:RobotsAllowed:0={alias}");
        Assert.Equal(!isAllowed, (await pages.ReadAsync(_room.Day)).Contains("noindex", StringComparison.Ordinal));
    }

    private static string TextOf(string html)
    {
        var main = html[html.IndexOf("<main", StringComparison.Ordinal)..];
        return Regex.Replace(WebUtility.HtmlDecode(Regex.Replace(main, "<[^>]*>", " ")), "\\s+", " ");
    }
}
