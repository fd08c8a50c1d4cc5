using System.Net;
using System.Text.RegularExpressions;
using AngleSharp.Html.Parser;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Search;

/// <summary>What a reader sees of a search.</summary>
public sealed class SearchPageTests : SearchPageTestBase
{
    [Fact]
    public async Task Each_part_of_a_query_selects_what_is_shown()
    {
        var next = Day.AddDays(1);
        Write(
            Day, Visibility(), Message("$1", "good morning, the kettle is on", 1), Message("$2", "morning good", 2, sender: Bob),
            Message("$3", "see https://example.org/tea", 3), Message("$4", "今天天气很好", 4), Message("$5", "東京タワーへ", 5),
            Line(Tea, "$6", Bob, """{"msgtype":"m.image","body":"cat.png","url":"mxc://x/a"}""", 6),
            Line(Tea, "$7", Bob, """{"msgtype":"m.file","body":"list.pdf","url":"mxc://x/b"}""", 7));
        Write(next, Message("$8", "the next morning", 1, next));
        WriteTo(Milk, Day, Visibility(room: Milk), Message("$9", "milk in the morning", 9, room: Milk));
        Directory.CreateSymbolicLink(Path.Combine(Root, "logged_milk"), Milk);
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(
            pages, "morning", "the next morning", "milk in the morning", "morning good", "good morning, the kettle is on");
        await UntilFoundAsync(pages, "\"good morning\"", "good morning, the kettle is on");
        await UntilFoundAsync(pages, "kett*", "good morning, the kettle is on");
        await UntilFoundAsync(pages, "ke*", "good morning, the kettle is on");
        await UntilFoundAsync(pages, "morning from:bob", "morning good");
        await UntilFoundAsync(pages, "from:@bob:localhost good", "morning good");
        await UntilFoundAsync(pages, "in:logged_milk morning", "milk in the morning");
        await UntilFoundAsync(pages, $"in:{Milk}", "milk in the morning");
        await UntilFoundAsync(pages, "in:#logged_milk:example.org", "milk in the morning");
        await UntilFoundAsync(pages, "morning after:2026-11-23", "the next morning");
        await UntilFoundAsync(pages, "kettle before:2026-11-24", "good morning, the kettle is on");
        await UntilFoundAsync(pages, "has:link", "see https://example.org/tea");
        await UntilFoundAsync(pages, "has:image", "cat.png");
        await UntilFoundAsync(pages, "has:file", "list.pdf", "cat.png");
        await UntilFoundAsync(pages, "天气", "今天天气很好");
        await UntilFoundAsync(pages, "タワ", "東京タワーへ");
        await UntilFoundAsync(pages, "天*", "今天天气很好");
        Assert.Equal(["milk in the morning"], HitsOf(await SearchAsync(pages, "morning", "/r/logged_milk")));
    }

    [Fact]
    public async Task A_hit_has_its_neighbours_and_leads_to_its_day()
    {
        Write(
            Day, Visibility(),
            Line(
                Tea, "$0", Alice, """{"membership":"join","displayname":"Alice A"}""", 1, type: "m.room.member",
                more: $",\"state_key\":\"{Alice}\""),
            Message("$1", "one", 2), Message("$2", "first version", 3), Message("$3", "<b>the</b> kettle", 4),
            Line(Tea, "$4", Bob, """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$3","key":"x"}}""", 5, type: "m.reaction"),
            Message("$5", "gone", 6), Redaction("$6", "$5", 7), Message("$7", "four", 8, sender: Bob), Edit("$8", "$2", "two", 9),
            Edit("$9", "$3", "<i>the</i> kettle", 10));
        Compress(Day);
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "kettle", "<i>the</i> kettle");
        var page = await SearchAsync(pages, "KETTLE");
        using var document = new HtmlParser().ParseDocument(page);
        var hit = Assert.Single(document.QuerySelectorAll(".hits > li"));
        Assert.Equal(["two", "<i>the</i> kettle", "four"], hit.QuerySelectorAll(".text").Select(text => text.TextContent));
        Assert.Equal(["Alice A", "Alice A", Bob], hit.QuerySelectorAll(".sender").Select(sender => sender.TextContent));
        Assert.Equal("kettle", Assert.Single(hit.QuerySelectorAll("mark")).TextContent);
        Assert.Equal("1 result", document.QuerySelector(".count")!.TextContent);
        var link = hit.QuerySelector(".hit a")!.GetAttribute("href")!;
        Assert.Equal($"/r/{Uri.EscapeDataString(Tea)}/e/%243", link);
        Assert.StartsWith($"/r/{Uri.EscapeDataString(Tea)}/2026/11/23#", (await pages.GetAsync(link)).Headers["Location"]);
    }

    [Fact]
    public async Task Each_page_has_a_form_that_works_without_javascript()
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        await using var pages = await PagesUnderTest.StartAsync(Root, "--Pages:PathPrefix=/logs", $"--Pages:RobotsAllowed:0={Tea}");
        var room = $"/logs/r/{Uri.EscapeDataString(Tea)}";
        (string Address, string Action)[] all =
        [
            ("/logs/", "/logs/search"), ("/logs/search", "/logs/search"), (room, $"{room}/search"),
            ($"{room}/2026/11/23", $"{room}/search"),
        ];
        foreach (var (address, action) in all)
        {
            using var document = new HtmlParser().ParseDocument(await pages.ReadAsync(address));
            var form = document.QuerySelector("form[role=search]")!;
            Assert.Equal((action, "get"), (form.GetAttribute("action"), form.GetAttribute("method")));
            Assert.NotNull(form.QuerySelector("input[name=q][aria-label]"));
        }

        var response = await GetAsync(pages, $"{room}/search?q=tea+from%3Aalice");
        Assert.Contains("value=\"tea from:alice\"", response.Body, StringComparison.Ordinal);
        Assert.Contains("kett*", response.Body, StringComparison.Ordinal);
        Assert.Contains("noindex", response.Body, StringComparison.Ordinal);
        Assert.Contains("form-action 'self'", response.Headers["Content-Security-Policy"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_a_reader_may_see_is_found()
    {
        const string Unsigned = ",\"unsigned\":{\"io.element.synapse.soft_failed\":true}";
        Write(
            Day, Message("$1", "word unknown-then", 1), Visibility("joined", second: 2), Message("$2", "word private-then", 3),
            Visibility(second: 4), Message("$3", "word public", 5), Line(Tea, "$4", Bob, Text("word soft"), 6, more: Unsigned),
            Message("$5", "word removed", 7), Redaction("$6", "$5", 8), Message("$7", "word original", 9), Visibility("shared", second: 10),
            Edit("$8", "$7", "word secretly", 11), Visibility(second: 12));
        WriteTo(Milk, Day, Visibility("shared", Milk), Message("$9", "word milk", 9, room: Milk));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "word", "word original", "word public");
        Assert.Contains("2 results", await SearchAsync(pages, "word"), StringComparison.Ordinal);
        foreach (var query in (string[])["secretly", "private-then", "unknown-then", "soft", "removed", "milk", $"in:{Milk}"])
        {
            var page = await SearchAsync(pages, query);
            Assert.Contains("Nothing was found.", page, StringComparison.Ordinal);
            Assert.Empty(HitsOf(page));
        }

        Assert.DoesNotMatch("then|soft|removed|secretly|milk", (await SearchAsync(pages, "word")).Split("class=\"help\"")[0]);
        Assert.Contains($"No room has this name here: {Milk}", await SearchAsync(pages, $"in:{Milk}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_in_a_room_that_may_not_be_seen_is_answered_as_one_that_does_not_exist()
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        WriteTo(Milk, Day, Visibility("shared", Milk), Message("$2", "tea", 2, room: Milk));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        var unknown = await pages.GetAsync("/nowhere");
        string[] addresses = [$"/r/{Milk}/search?q=tea", "/r/!unknown:localhost/search?q=tea", $"/r/{Milk}/search", "/search/"];
        foreach (var address in addresses)
        {
            var response = await GetAsync(pages, address);
            Assert.Equal((HttpStatusCode.NotFound, unknown.Body), (response.Status, response.Body));
            Assert.Equal(unknown.Headers.Keys.Order(), response.Headers.Keys.Order());
        }
    }

    [Theory]
    [InlineData("tea before:yesterday", "Not understood in the query: before:yesterday")]
    [InlineData("has:wings tea", "Not understood in the query: has:wings")]
    [InlineData("from:", "Not understood in the query: from:")]
    [InlineData("k* tea", "Not understood in the query: k*")]
    [InlineData("from:Alison tea", "After from: stands the id of a user, such as @alice:example.org, or its first part, alice: "
        + "not a display name.")]
    [InlineData("!!! tea", "Not understood in the query: !!!")]
    [InlineData("in:nowhere tea", "No room has this name here: nowhere")]
    public async Task What_is_wrong_with_a_query_is_said_on_the_page(string query, string sentence)
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await pages.UntilIndexedAsync();
        using var document = new HtmlParser().ParseDocument(await SearchAsync(pages, query));
        Assert.Contains(sentence, document.QuerySelectorAll(".note").Select(note => note.TextContent));
    }

    [Theory]
    [InlineData("q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")]
    [InlineData("q=%27+onfocus%3Dalert(1)+autofocus%3D%27")]
    [InlineData("q=in:%3Cimg+src=x+onerror=alert(1)%3E")]
    [InlineData("q=before:%3Csvg%20onload=alert(1)%3E")]
    [InlineData("q=%FF%ED%A0%80%00")]
    [InlineData("q=tea&q=%3Cscript%3E&before=%22%3E%3Cscript%3E")]
    [InlineData("q=tea&before=-1")]
    [InlineData("q=tea&before=99999999999999999999999")]
    public async Task No_query_runs_anything_or_fails(string query)
    {
        Write(Day, Visibility(), Message("$1", "<script>tea</script>", 1));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "tea", "<script>tea</script>");
        var response = await GetAsync(pages, $"/search?{query}");
        Assert.Equal(HttpStatusCode.OK, response.Status);
        using var document = new HtmlParser().ParseDocument(response.Body);
        Assert.Single(document.QuerySelectorAll("script"));
        Assert.Empty(document.QuerySelectorAll("main img, main svg, [onfocus], [autofocus]"));
        Assert.Equal("form", document.QuerySelector("input[name=q]")!.ParentElement!.LocalName);
    }

    [Fact]
    public async Task A_very_long_query_is_cut_and_searches_of_one_address_are_limited()
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        Assert.Contains("The query is too long", await SearchAsync(pages, new string('x', 5000)), StringComparison.Ordinal);
        var statuses = new List<HttpStatusCode>();
        while (statuses.Count < 300 && !statuses.Contains(HttpStatusCode.TooManyRequests))
        {
            statuses.Add((await pages.GetAsync("/search?q=tea")).Status);
        }

        Assert.InRange(statuses.Count, 30, 200);
        Assert.Equal(HttpStatusCode.OK, (await pages.GetAsync("/")).Status);
    }

    [Fact]
    public async Task A_count_has_no_fetched_events_from_just_before_the_room_became_public()
    {
        var fetchedAt = new DateTimeOffset(2026, 11, 23, 20, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        var more = $",\"fetched_ts\":{fetchedAt}";
        Write(
            Day,
            [
                Visibility("joined"), Visibility(second: 200),
                .. Enumerable.Range(0, 30).Select(i => Message($"$public{i}", "tea", 300 + i)),
                .. Enumerable.Range(0, 40).Select(i => Line(Tea, $"$private{i}", Alice, Text("private tea"), 199, more: more)),
            ]);
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await Wait.UntilAsync(async () => HitsOf(await SearchAsync(pages, "tea")).Count == 20, "the index");
        await pages.UntilIndexedAsync();
        Assert.Contains(">About 30 results<", await SearchAsync(pages, "tea"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counts_stop_and_pages_have_each_event_once_while_others_arrive()
    {
        Write(Day, Enumerable.Range(0, 1100).Select(i => Message($"${i}", $"tea {i}", i + 1)).Prepend(Visibility()));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await Wait.UntilAsync(
            async () => (await SearchAsync(pages, "tea")).Contains("More than 1,000 results", StringComparison.Ordinal), "the count");
        var found = new List<string>();
        for (var address = "/search?q=tea"; address is not null && found.Count < 5000;)
        {
            var page = (await GetAsync(pages, address)).Body;
            found.AddRange(HitsOf(page));
            var next = Regex.Match(page, "<a rel=\"next\" href=\"([^\"]*)\"");
            address = next.Success ? WebUtility.HtmlDecode(next.Groups[1].Value) : null;
            if (found.Count == 40)
            {
                Append(Day, Message("$new", "more tea", 2000));
                await UntilFoundAsync(pages, "more", "more tea");
            }
        }

        Assert.Equal(Enumerable.Range(0, 1100).Reverse().Select(i => $"tea {i}"), found);
        Assert.Contains(">11 results<", await SearchAsync(pages, "tea 109*"), StringComparison.Ordinal);
    }
}
