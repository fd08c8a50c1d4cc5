using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LoggingService.Tests.Pages;

/// <summary>What a member does with the pages, in a real browser.</summary>
public sealed class BrowserReadingTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_member_finds_the_room_and_reads_its_days_in_the_own_time_zone()
    {
        using var room = new PublicRoom(_folder);
        await TeaHouse.FillAsync(room);
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync(pages.Url);
        await page.GetByLabel("Filter by typing").FillAsync("coffee");
        await Expect(page.Locator(".rooms > li")).ToBeHiddenAsync();
        await page.GetByLabel("Filter by typing").FillAsync("tea h");
        await page.Locator(".rooms").GetByRole(AriaRole.Link, new() { Name = "Tea house" }).ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync("Tea house");
        var answer = page.Locator("article", new() { HasText = "never" });
        await Expect(answer.Locator(".reactions li").First).ToContainTextAsync("👍 2");
        await Expect(answer.Locator("time").First).ToHaveTextAsync(new Regex("^21:"));
        await Expect(page.GetByText("Times are in your time zone")).ToBeVisibleAsync();
        await Expect(page.GetByText("the leaves unfold")).ToBeHiddenAsync();
        await page.GetByText("the end").ClickAsync();
        await Expect(page.GetByText("the leaves unfold")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Earlier: 2026-11-23" }).ClickAsync();
        await Expect(page.GetByText("Who has tried the new sencha?")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Calendar" }).First.ClickAsync();
        await Expect(page.Locator(".month a")).ToHaveCountAsync(2);
        Assert.Empty(browser.Messages);
    }

    [Fact]
    public async Task A_link_from_a_chat_leads_to_its_line_highlighted_and_the_line_can_be_shared()
    {
        using var room = new PublicRoom(_folder);
        var id = await TeaHouse.FillAsync(room);
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync(new() { Permissions = ["clipboard-read", "clipboard-write"] });
        var page = browser.Page;
        var link = $"{pages.Url}/r/{Uri.EscapeDataString(room.Id)}/e/{Uri.EscapeDataString(id)}";
        await page.GotoAsync(link);
        var line = page.Locator("article:target");
        await Expect(line).ToContainTextAsync("never");
        await Expect(line).ToBeInViewportAsync();
        await Expect(line).ToHaveCSSAsync("background-color", "rgb(255, 243, 196)");
        await line.GetByRole(AriaRole.Button, new() { Name = "Copy link" }).ClickAsync();
        Assert.Equal(link, await page.EvaluateAsync<string>("navigator.clipboard.readText()"));
    }

    [Fact]
    public async Task The_text_of_a_line_is_copied_as_it_is_read_without_what_spoilers_hide()
    {
        using var room = new PublicRoom(_folder);
        await TeaHouse.FillAsync(room);
        await room.StateAsync("m.room.topic", """{"topic":"Only green tea"}""");
        await room.PushAsync("m.room.message", """{"msgtype":"m.emote","body":"pours\nslowly"}""", PublicRoom.Bob);
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync(new() { Permissions = ["clipboard-read", "clipboard-write"] });
        var page = browser.Page;
        await page.GotoAsync($"{pages.Url}{room.Day}");
        await page.GetByText("the end").ClickAsync();
        foreach (var (words, expected) in ((string, string)[])
            [
                ("never more", "[21:00] Alice Älva: Two minutes, never more"),
                ("A timer for", "[21:20] キャロル: A timer for all of you:\nsleep 120 && echo \"the tea is ready, drink it before it is "
                    + "cold or it will be bitter\"\n(Spoiler: the end)"),
                ("teapot.png", "[21:20] キャロル: Image: teapot.png (68.1 KB)"),
                ("Message removed", "[21:20] Bob: Message removed (@alice:localhost: off topic)"),
                ("Only green tea", "[21:20] @alice:localhost set the topic to \"Only green tea\""),
                ("pours", "[21:20] * Bob pours\nslowly"),
            ])
        {
            var line = page.Locator("#chat > *", new() { HasText = words });
            await line.HoverAsync();
            await line.GetByRole(AriaRole.Button, new() { Name = "Copy text" }).ClickAsync();
            await Expect(line.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
            Assert.Equal(expected, await page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        }
    }

    [Fact]
    public async Task Links_are_copied_over_plain_http_too()
    {
        using var room = new PublicRoom(_folder);
        var id = await TeaHouse.FillAsync(room);
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync();
        var page = browser.Page;
        await page.AddInitScriptAsync("delete Navigator.prototype.clipboard");
        await page.GotoAsync($"{pages.Url}{room.Day}");
        var line = page.Locator("article", new() { HasText = "never more" });
        var button = line.GetByRole(AriaRole.Button, new() { Name = "Copy link" });
        await button.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(line.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Searchbox).FocusAsync();
        await page.Keyboard.PressAsync("Control+v");
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync(
            $"{pages.Url}/r/{Uri.EscapeDataString(room.Id)}/e/{Uri.EscapeDataString(id)}");

        await page.EvaluateAsync("document.execCommand = () => false");
        await Expect(button).ToBeVisibleAsync();
        await button.ClickAsync();
        await Expect(line.GetByRole(AriaRole.Button, new() { Name = "Not copied" })).ToBeVisibleAsync();
        Assert.Empty(browser.Messages);
    }

    [Fact]
    public async Task The_newest_lines_of_a_busy_day_come_first_and_keys_lead_to_its_pages_and_then_to_other_days()
    {
        using var room = new PublicRoom(_folder);
        await TeaHouse.FillAsync(room);
        room.Time.Advance(TimeSpan.FromDays(1));
        var first = await room.SayAsync("beginning");
        var record = Directory.GetFiles(Path.Combine(room.Logs, room.Id), "*.jsonl").Order().Last();
        var line = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))[^1];
        await File.AppendAllLinesAsync(
            record,
            Enumerable.Range(1, 400).Select(i => line.Replace(first, $"$copy{i}", StringComparison.Ordinal)
                .Replace("beginning", $"number {i}.", StringComparison.Ordinal)),
            TestContext.Current.CancellationToken);
        await room.SayAsync("repaired");
        await Wait.UntilAsync(() => File.ReadLines(record).Last().Contains("repaired"), "the file is repaired");
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync(pages.Url);
        await page.Locator(".rooms").GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByText("number 400.")).ToBeInViewportAsync();
        await room.SayAsync("newer than all");
        await Expect(page.GetByText("newer than all")).ToBeInViewportAsync();
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator("#chat > *").Last).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("p");
        await Expect(page.GetByText("number 1.", new() { Exact = true })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("n");
        await Expect(page.GetByText("number 400.")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("p");
        await Expect(page.GetByText("number 1.", new() { Exact = true })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("p");
        await Expect(page.GetByText("See you at four.")).ToBeVisibleAsync();
        Assert.Empty(browser.Messages);
    }

    [Fact]
    public async Task Lines_appear_as_they_are_sent_and_again_after_both_processes_restarted()
    {
        using var room = new PublicRoom(_folder);
        await TeaHouse.FillAsync(room);
        var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync($"{pages.Url}{room.Day}");
        var id = await room.SayAsync("Is anyone there?", PublicRoom.Bob);
        var line = page.Locator("article", new() { HasText = "Is anyone there?" });
        await Expect(line.Locator("time").First).ToHaveTextAsync(new Regex("^21:"));
        await TeaHouse.ReactAsync(room, id, "🍵", PublicRoom.Alice);
        await Expect(line.Locator(".reactions")).ToContainTextAsync("🍵 1");
        await Expect(line).ToHaveCountAsync(1);

        var newest = page.GetByRole(AriaRole.Button, new() { Name = "New messages below" });
        await page.EvaluateAsync("scrollTo(0, 0)");
        await room.SayAsync("I am.");
        await Expect(newest).ToBeVisibleAsync();
        await newest.ClickAsync();
        await Expect(page.GetByText("I am.")).ToBeInViewportAsync();
        await Expect(newest).ToBeHiddenAsync();

        var url = pages.Url;
        await pages.DisposeAsync();
        await room.SayAsync("missed meanwhile");
        pages = await PagesUnderTest.StartAsync(room.Logs, $"--Pages:Urls={url}");
        await Expect(page.GetByText("missed meanwhile")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"{id}\"");
        await Expect(page.GetByText("Is anyone there?")).ToHaveCountAsync(0);
        await Expect(page.Locator("article", new() { HasText = "I am." })).ToHaveCountAsync(1);

        room.Time.Advance(TimeSpan.FromDays(1));
        await room.SayAsync("good morning");
        await page.GetByText("A new day has begun").GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByText("good morning")).ToBeVisibleAsync();
        await pages.DisposeAsync();
    }

    [Theory]
    [InlineData("Asia/Tokyo", "before midnight", "Tuesday,? 24 November 2026", "after midnight")]
    [InlineData("Pacific/Kiritimati", null, "Tuesday,? 24 November 2026", "before midnight")]
    public async Task A_line_tells_where_the_date_of_the_reader_changes(string zone, string? before, string date, string after)
    {
        using var room = new PublicRoom(_folder);
        room.Time.Advance(TimeSpan.FromHours(2.9));
        await room.SetVisibilityAsync("world_readable");
        await room.SayAsync("before midnight");
        room.Time.Advance(TimeSpan.FromMinutes(8));
        await room.SayAsync("after midnight");
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync(new() { TimezoneId = zone });
        var page = browser.Page;
        await page.GotoAsync($"{pages.Url}{room.Day}");
        await room.SayAsync("a new line");
        await Expect(page.GetByText("a new line")).ToBeVisibleAsync();
        var lines = page.Locator("#chat > :is(.date-line, .message)");
        await Expect(lines).ToHaveTextAsync([.. ((string?[])[before, $"New date: {date}", after]).Concat(
            before is null ? ["after midnight", "a new line"] : ["a new line"]).OfType<string>().Select(text => new Regex(text))]);
        await Expect(page.Locator(".date-line + *").GetByText(PublicRoom.Alice)).ToBeInViewportAsync();
        Assert.Empty(browser.Messages);
    }

    [Fact]
    public async Task All_of_it_can_be_read_without_scripts()
    {
        using var room = new PublicRoom(_folder);
        await TeaHouse.FillAsync(room);
        await using var pages = await PagesUnderTest.StartAsync(room.Logs);
        await using var browser = await chromium.OpenAsync(new() { JavaScriptEnabled = false });
        var page = browser.Page;
        await page.GotoAsync(pages.Url);
        await Expect(page.GetByText("Filter by typing")).ToBeHiddenAsync();
        await page.Locator(".rooms").GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByText("Times are in UTC+00:00")).ToBeVisibleAsync();
        await Expect(page.Locator("article", new() { HasText = "How long" }).Locator("time").First).ToHaveTextAsync(new Regex("^12:"));
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copy link" })).ToHaveCountAsync(0);
        await page.GetByText("the end").ClickAsync();
        await Expect(page.GetByText("the leaves unfold")).ToBeVisibleAsync();
        await page.GetByText("3 changes of members").ClickAsync();
        await Expect(page.GetByText("@finn:localhost joined")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Calendar" }).First.ClickAsync();
        await page.Locator(".month a").First.ClickAsync();
        await Expect(page.GetByText("Who has tried the new sencha?")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Nothing_of_what_members_send_runs_or_is_loaded()
    {
        var lines = HostilePageTests.Attacks.Select(row => row.Data).Select((html, i) => JsonSerializer.Serialize(new
        {
            content = new { msgtype = "m.text", body = html, format = "org.matrix.custom.html", formatted_body = html },
            event_id = $"$attack{i}",
            room_id = "!hostile:x",
            sender = "@mallory:x",
            type = "m.room.message",
        }));
        await HostilePageTests.WriteAsync(_folder["logs"], lines);
        await using var pages = await PagesUnderTest.StartAsync(_folder["logs"]);
        await using var browser = await chromium.OpenAsync();
        var requests = new List<string>();
        browser.Page.Request += (_, request) => requests.Add(request.Url);
        await browser.Page.GotoAsync($"{pages.Url}/r/!hostile:x/latest", new() { WaitUntil = WaitUntilState.Load });
        await Expect(browser.Page.Locator("article")).ToHaveCountAsync(HostilePageTests.Attacks.Count);
        await Expect(browser.Page.Locator("h1")).ToHaveCountAsync(1);
        foreach (var summary in await browser.Page.Locator("#chat summary").AllAsync())
        {
            await summary.ClickAsync();
        }

        Assert.Empty(browser.Messages);
        Assert.All(requests, url => Assert.StartsWith(pages.Url, url, StringComparison.Ordinal));
    }
}
