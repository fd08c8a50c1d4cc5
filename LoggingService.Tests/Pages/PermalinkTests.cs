using System.Net;
using LoggingService.Pages;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>Where a link to an event leads.</summary>
public sealed class PermalinkTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PermalinkTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_link_to_a_reaction_or_an_edit_leads_to_the_line_that_shows_it(int daysLater)
    {
        await _room.SetVisibilityAsync("world_readable");
        var day = _room.Day;
        var id = await _room.SayAsync("tea?");
        await _room.SayAsync("a line between");
        _room.Time.Advance(TimeSpan.FromDays(daysLater));
        var reaction = await TeaHouse.ReactAsync(_room, id, "🍵", PublicRoom.Bob);
        var edit = await TeaHouse.EditAsync(_room, "tea!", id);
        var ofEdit = await TeaHouse.ReactAsync(_room, edit, "🫖", PublicRoom.Bob);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        foreach (var link in (string[])[id, reaction])
        {
            Assert.Equal($"{day}#{PageLinks.Anchor(id)}", (await GetAsync(pages, link)).Headers["Location"]);
        }

        // On another day than the message, the edit has a line.
        var line = daysLater == 0 ? id : edit;
        foreach (var link in (string[])[edit, ofEdit])
        {
            Assert.Equal($"{_room.Day}#{PageLinks.Anchor(line)}", (await GetAsync(pages, link)).Headers["Location"]);
        }

        Assert.Contains($"id=\"{PageLinks.Anchor(line)}\"", await pages.ReadAsync(_room.Day), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sentence_has_a_link_and_the_same_actions_as_a_message()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.StateAsync("m.room.topic", """{"topic":"tea"}""");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        using var document = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(await pages.ReadAsync(_room.Day));
        var line = document.GetElementById(PageLinks.Anchor(id))!;
        var link = $"/r/{Uri.EscapeDataString(_room.Id)}/e/{Uri.EscapeDataString(id)}";
        Assert.Equal(link, line.QuerySelector("a.time")!.GetAttribute("href"));
        Assert.Equal(
            ["Copy link", "Copy text", "Open in an app", "Open in Matrix"],
            line.QuerySelectorAll(".actions > *").Select(item => item.TextContent));
        Assert.Equal($"{_room.Day}#{line.Id}", (await pages.GetAsync(link)).Headers["Location"]);
    }

    [Fact]
    public async Task Links_to_a_room_whose_id_has_no_server_name_those_of_its_most_active_members()
    {
        _room.Id = "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM";
        await _room.SetVisibilityAsync("world_readable");
        foreach (var sender in (string[])["@b:three.example:8448", "@a:one.example", "@b:one.example", "@c:one.example", "@a:two.example"])
        {
            await _room.SayAsync("tea", sender);
        }

        var id = await _room.SayAsync("more tea");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await using var live = await pages.FollowAsync(_room.Day);
        using var document = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(await pages.ReadAsync(_room.Day));
        AssertVia(document.GetElementById(PageLinks.Anchor(id))!);
        await _room.SayAsync("a new line", "@a:one.example");
        using var line = new AngleSharp.Html.Parser.HtmlParser().ParseDocument((await live.NextAsync())!.Value.Data);
        AssertVia(line.QuerySelector("article")!);

        static void AssertVia(AngleSharp.Dom.IElement line)
        {
            var links = line.QuerySelectorAll(".actions a").Select(link => link.GetAttribute("href")!);
            Assert.Equal(
                ["via=one.example&via=localhost&via=three.example%3A8448", "via=one.example&via=localhost&via=three.example%3A8448"],
                links.Select(link => link[(link.IndexOf('?', StringComparison.Ordinal) + 1)..]));
        }
    }

    [Fact]
    public async Task A_link_to_an_unknown_event_reads_no_record_again()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync("tea");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Equal(HttpStatusCode.Found, (await GetAsync(pages, id)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(pages, "$unknown")).Status);

        // In the place of the other one, so that only who reads the record again finds it.
        var other = id.Replace("$event", "$other", StringComparison.Ordinal);
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        var modified = File.GetLastWriteTimeUtc(record);
        var text = await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken);
        await using (var file = new FileStream(record, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            await file.WriteAsync(
                System.Text.Encoding.UTF8.GetBytes(text.Replace(id, other, StringComparison.Ordinal)),
                TestContext.Current.CancellationToken);
        }

        File.SetLastWriteTimeUtc(record, modified);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(pages, other)).Status);

        var next = await _room.SayAsync("more tea", id: "$with\\\"é/+");
        await Wait.UntilAsync(async () => (await GetAsync(pages, next)).Status == HttpStatusCode.Found, "a new line is found");
    }

    private Task<PagesUnderTest.PageResponse> GetAsync(PagesUnderTest pages, string eventId) =>
        pages.GetAsync($"/r/{Uri.EscapeDataString(_room.Id)}/e/{Uri.EscapeDataString(eventId)}");
}
