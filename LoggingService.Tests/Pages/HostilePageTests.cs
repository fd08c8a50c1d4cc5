using System.Text.Json;
using System.Text.RegularExpressions;
using AngleSharp.Html.Parser;
using LoggingService.Pages;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>Nothing that a member sends runs in a reader's browser, loads anything, or leaves its place.</summary>
public class HostilePageTests
{
    public static TheoryData<string> Attacks { get; } =
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\" java\tscript:alert(1)\">x</a>", "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
        "<a href=\"//evil.example\">x</a>",
        "<iframe src=https://evil.example></iframe>", "<b onmouseover=alert(1)>x</b>", "<style>*{display:none}</style>",
        "<p style=\"position:fixed\">x</p>",
        "<form action=https://evil.example><input name=a></form>", "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<base href=https://evil.example>",
        "<meta http-equiv=refresh content=0>",
        "<link rel=stylesheet href=https://evil.example>", "</div></article></main><h1>Owned</h1>",
        "<details open ontoggle=alert(1)>x</details>",
        "<img src=\"https://evil.example/a.png\" alt=\"\" title=\"\" onload=alert(1)>", "<a href=\"vbscript:x\">x</a>",
        "<object data=x></object>",
        "<span data-mx-spoiler=\"&quot;><script>alert(1)</script>\">x</span>", "<video src=x onerror=alert(1)>",
        "<template><script>1</script></template>",
        "<a href=\"https://x\" onclick=\"alert(1)\" id=\"main\" class=\"skip\">x</a>",
        "<svg><a xlink:href=\"javascript:alert(1)\">x</a></svg>",
        "<textarea></textarea><script>alert(1)</script>", "<xmp></xmp><script>1</script>", "<!--><img src=x onerror=alert(1)>-->",
        "<p>x</p><![CDATA[<script>1</script>]]>", "<a href=\"https://x/&quot; onmouseover=&quot;alert(1)\">x</a>",
    ];

    [Theory]
    [MemberData(nameof(Attacks))]
    public void Html_that_attacks_readers_is_harmless(string html)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, string> { ["format"] = "org.matrix.custom.html", ["formatted_body"] = html, ["body"] = html });
        Assert.True(LoggingService.Events.RawJson.TryParse(json, out var content, out _));
        foreach (var safe in (string[])[MessageHtml.Of(content, html, Text.English).Value!, MessageHtml.FromText(html).Value!])
        {
            AssertHarmless($"<div id=box>{safe}</div><p id=after></p>");
        }
    }

    [Theory]
    [InlineData("<b>", "")]
    [InlineData("<b><div></b>", "")]
    [InlineData("<b title=\"</b>\">", "")]
    [InlineData("<b x='>' y=</b>>", "")]
    [InlineData("<b><!--</b>-->", "")]
    [InlineData("<ul><li>", "</li></ul>")]
    public void Html_that_is_nested_too_deep_is_shown_as_text(string start, string end)
    {
        var html = string.Concat(Enumerable.Repeat(start, 2000)) + "x" + string.Concat(Enumerable.Repeat(end, 2000));
        Assert.False(SanitizedHtml.TryCreate(html, Text.English, out _));
    }

    [Fact]
    public void Formatting_of_messages_is_kept()
    {
        Assert.True(SanitizedHtml.TryCreate(
            "<h1>Hi</h1><p>a <strong>b</strong> <a href=\"https://x.example/?a=1&amp;b=2\">c</a> <code class=\"language-c\">d</code></p>"
            + "<ol start=\"3\"><li>e</li></ol><img src=\"mxc://x/y\" alt=\":fox:\"><font color=\"red\">f</font><mx-reply>g</mx-reply>",
            Text.English, out var safe));
        Assert.Equal(
            "<div class=\"heading\">Hi</div><p>a <strong>b</strong> "
            + "<a href=\"https://x.example/?a=1&amp;b=2\" rel=\"noopener nofollow ugc\">c</a> "
            + "<code>d</code></p><ol start=\"3\"><li>e</li></ol>:fox:f",
            safe);
    }

    [Theory]
    [InlineData("<h2><span data-mx-spoiler><blockquote>secret</blockquote></span></h2>")]
    [InlineData("<p>a<span data-mx-spoiler><button><div>secret</div></button></span></p>")]
    [InlineData("<p>a<span data-mx-spoiler><marquee><ul><li>secret</ul></marquee></span></p>")]
    [InlineData("<p>a<table><tr><td><span data-mx-spoiler>secret</span></table>")]
    public void A_browser_closes_a_spoiler_where_it_was_closed(string html)
    {
        Assert.True(SanitizedHtml.TryCreate(html, Text.English, out var safe));
        using var document = new HtmlParser().ParseDocument($"<!doctype html><body><div>{safe}</div>");
        var body = document.QuerySelector("div")!;
        Assert.Equal(safe, body.InnerHtml.Replace("&nbsp;", "\u00A0", StringComparison.Ordinal));
        Assert.All(document.QuerySelectorAll(".hidden"), hidden => hidden.Remove());
        Assert.DoesNotContain("secret", body.TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("everyday")]
    [InlineData("create_room")]
    [InlineData("room_upgrade")]
    [InlineData("encryption")]
    public async Task Recorded_events_are_shown_without_anything_that_runs(string recording)
    {
        using var folder = TempFolder.ForCaller();
        var logs = folder["logs"];
        await WriteAsync(logs, RecordedTraffic.Read(recording)
            .Where(request => request.Target.Contains("/transactions/", StringComparison.Ordinal))
            .SelectMany(request => JsonElement.Parse(request.Body).GetProperty("events").EnumerateArray())
            .Select(e => e.GetRawText()));
        await AssertPagesHarmlessAsync(logs);
    }

    [Fact]
    public async Task Names_and_topics_and_ids_with_every_odd_character_leave_no_page()
    {
        using var folder = TempFolder.ForCaller();
        const string Odd = "\\\"'><script>alert(1)</script>&amp;\u202e\u0007${x}@(y)";
        var odd = JsonSerializer.Serialize(Odd);
        const string Room = "!r\\\"><b>/+:x";
        var room = JsonSerializer.Serialize(Room);
        await WriteAsync(folder["logs"],
        [
            $$"""{"content":{"name":{{odd}}},"event_id":"$1","room_id":{{room}},"sender":{{odd}},"state_key":"","type":"m.room.name"}""",
            $$"""{"content":{"topic":{{odd}}},"event_id":"$2","room_id":{{room}},"sender":{{odd}},"state_key":"","type":"m.room.topic"}""",
            $$"""{"content":{"alias":{{odd}}},"event_id":"$3","room_id":{{room}},"sender":"@a:x","""
                + """ "state_key":"","type":"m.room.canonical_alias"}""",
            $$"""{"content":{"membership":"join","displayname":{{odd}}},"event_id":"$4","room_id":{{room}},"sender":"@a:x","""
                + """ "state_key":"@a:x","type":"m.room.member"}""",
            $$"""{"content":{"msgtype":"m.text","body":{{odd}}},"event_id":{{odd}},"room_id":{{room}},"sender":"@a:x","""
                + """ "type":"m.room.message"}""",
            $$"""{"content":{"msgtype":"m.file","body":{{odd}},"filename":{{odd}}},"event_id":"$6","room_id":{{room}},"""
                + $$""" "sender":{{odd}},"type":"m.room.message"}""",
            $$"""{"content":{{odd}},"event_id":"$7","room_id":{{room}},"sender":{{odd}},"type":{{odd}}}""",
        ]);
        await AssertPagesHarmlessAsync(folder["logs"]);
    }

    /// <summary>Writes records of rooms that are public from the start.</summary>
    internal static async Task WriteAsync(string logs, IEnumerable<string> events)
    {
        var rooms = events.GroupBy(e => JsonElement.Parse(e).GetProperty("room_id").GetString()!);
        foreach (var room in rooms)
        {
            var folder = Path.Combine(logs, LoggingService.Files.FolderName.ForRoom(room.Key));
            Directory.CreateDirectory(folder);
            var visible =
                """{"content":{"history_visibility":"world_readable"},"event_id":"$v","room_id":"""
                + JsonSerializer.Serialize(room.Key) + ""","state_key":"","type":"m.room.history_visibility"}""";
            var lines = room.Where(e => !e.Contains("m.room.history_visibility", StringComparison.Ordinal)).Prepend(visible)
                .Select(e => $"{e[..^1]},\"received_ts\":1795437020908}}");
            await File.WriteAllLinesAsync(Path.Combine(folder, "20261123.jsonl"), lines, TestContext.Current.CancellationToken);
        }
    }

    private static async Task AssertPagesHarmlessAsync(string logs)
    {
        await using var pages = await PagesUnderTest.StartAsync(logs);
        var rooms = pages.Rooms.All(LoggingService.Visibility.Reader.Anonymous).ToList();
        Assert.NotEmpty(rooms);
        AssertHarmless(await pages.ReadAsync("/"));
        foreach (var room in rooms)
        {
            var address = $"/r/{PageLinks.Encode(room.RoomId)}";
            foreach (var part in (string[])["", "/2026/11/23", "/search?q=from:a", "/search?q=%22%3E%3Cscript%3E1%3C/script%3E"])
            {
                AssertHarmless(await pages.ReadAsync(address + part));
            }

            await pages.ReadAsync($"{address}/2026/11/23.txt");
            System.Xml.Linq.XDocument.Parse(await pages.ReadAsync($"{address}/feed.atom"));
        }
    }

    private static void AssertHarmless(string html)
    {
        using var document = new HtmlParser().ParseDocument(html);
        foreach (var element in document.All)
        {
            Assert.DoesNotContain(
                element.LocalName,
                (string[])["iframe", "object", "embed", "img", "svg", "math", "base", "style", "video", "audio"]);
            Assert.True(element.LocalName != "script"
                || (element.GetAttribute("src") is { } src && src.StartsWith("/assets/", StringComparison.Ordinal)));
            Assert.True(element.LocalName != "form" || Regex.IsMatch(element.GetAttribute("action")!, "^(/r/[^/]+)?/search$"));
            Assert.True(element.LocalName != "link" || element.GetAttribute("href")!.StartsWith('/'));
            foreach (var attribute in element.Attributes)
            {
                Assert.DoesNotMatch("^(on|style$|src$)", element.LocalName == "script" ? "" : attribute.Name);
                Assert.True(
                    attribute.Name != "href" || Regex.IsMatch(attribute.Value, "^(/[^/]|/$|#|https?://|mailto:|matrix:)"), attribute.Value);
            }
        }

        Assert.True(document.QuerySelector("#box") is null || document.QuerySelector("#after")!.ParentElement!.LocalName == "body");
        Assert.DoesNotContain(document.QuerySelectorAll("h1"), heading => heading.TextContent == "Owned");
    }
}
