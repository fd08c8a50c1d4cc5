using System.Text.Json;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using LoggingService.Pages;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>Threads and replies on the page of a day.</summary>
public sealed class PageThreadTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageThreadTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_long_thread_goes_on_in_the_lines_of_the_day()
    {
        await _room.SetVisibilityAsync("world_readable");
        var root = await _room.SayAsync("Which tea?");
        var ids = new List<string>();
        for (var i = 1; i <= 103; i++)
        {
            ids.Add(await AnswerAsync($"tea {i}", root));
        }

        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        using var document = new HtmlParser().ParseDocument(await pages.ReadAsync(_room.Day));
        var thread = document.GetElementById(PageLinks.Anchor(root))!.QuerySelector(".thread")!;
        Assert.Equal(100, thread.QuerySelectorAll("article").Length);
        Assert.Contains("The thread goes on in the lines of the day.", thread.TextContent, StringComparison.Ordinal);
        foreach (var (id, i) in ids.Select((id, i) => (id, i + 1)).Skip(100))
        {
            var line = document.GetElementById(PageLinks.Anchor(id))!;
            Assert.Null(line.Closest(".thread"));
            Assert.Equal($"tea {i}", line.QuerySelector(".body")!.TextContent);
            Assert.Contains("Which tea?", line.QuerySelector(".reply")!.TextContent, StringComparison.Ordinal);
        }

        Assert.Null(document.GetElementById(PageLinks.Anchor(ids[0]))!.QuerySelector(".reply"));
    }

    [Fact]
    public async Task A_day_of_long_ago_shows_what_all_its_replies_answer()
    {
        await _room.SetVisibilityAsync("world_readable");
        var questions = new List<string>();
        for (var i = 1; i <= 25; i++)
        {
            questions.Add(await _room.SayAsync($"question {i}."));
        }

        _room.Time.Advance(TimeSpan.FromDays(1));
        var day = _room.Day;
        var answers = new List<string>();
        foreach (var question in questions)
        {
            answers.Add(await ReplyAsync(question));
        }

        for (var i = 0; i < 33; i++)
        {
            _room.Time.Advance(TimeSpan.FromDays(1));
            await _room.SayAsync("later");
        }

        var late = await ReplyAsync(questions[0]);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        using var document = new HtmlParser().ParseDocument(await pages.ReadAsync(day));
        foreach (var (id, i) in answers.Select((id, i) => (id, i + 1)))
        {
            Assert.Contains($"question {i}.", ReplyOf(document, id).TextContent, StringComparison.Ordinal);
        }

        using var newest = new HtmlParser().ParseDocument(await pages.ReadAsync(_room.Day));
        Assert.Contains("a message that is not shown here", ReplyOf(newest, late).TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task An_answer_to_an_edit_is_shown_as_one_to_the_message(int daysLater)
    {
        await _room.SetVisibilityAsync("world_readable");
        var day = _room.Day;
        var original = await _room.SayAsync("Which tae?");
        var edit = await TeaHouse.EditAsync(_room, "Which tea?", original);
        var inThread = await AnswerAsync("Sencha.", edit);
        _room.Time.Advance(TimeSpan.FromDays(daysLater));
        var reply = await ReplyAsync(edit);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        using var document = new HtmlParser().ParseDocument(await pages.ReadAsync(day));
        Assert.Equal(
            PageLinks.Anchor(original),
            document.GetElementById(PageLinks.Anchor(inThread))!.ParentElement!.Closest("article")?.Id);
        using var ofReply = new HtmlParser().ParseDocument(await pages.ReadAsync(_room.Day));
        var quoted = ReplyOf(ofReply, reply);
        Assert.EndsWith($"/e/{Uri.EscapeDataString(original)}", quoted.QuerySelector("a")!.GetAttribute("href"), StringComparison.Ordinal);
        if (daysLater == 0)
        {
            Assert.Contains("Which tea?", quoted.TextContent, StringComparison.Ordinal);
        }
    }

    private static IElement ReplyOf(IHtmlDocument document, string id) =>
        document.GetElementById(PageLinks.Anchor(id))!.QuerySelector(".reply")!;

    private Task<string> ReplyAsync(string id) => _room.PushAsync(
        "m.room.message",
        JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = "Oolong.",
            ["m.relates_to"] = new Dictionary<string, object> { ["m.in_reply_to"] = new { event_id = id } },
        }),
        PublicRoom.Bob);

    private Task<string> AnswerAsync(string body, string root) => _room.PushAsync(
        "m.room.message",
        JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = body,
            ["m.relates_to"] = new Dictionary<string, object>
            {
                ["rel_type"] = "m.thread",
                ["event_id"] = root,
                ["is_falling_back"] = true,
                ["m.in_reply_to"] = new { event_id = root },
            },
        }),
        PublicRoom.Bob);
}
