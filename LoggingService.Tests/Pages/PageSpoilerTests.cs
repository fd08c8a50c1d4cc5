using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>What a sender marked as a spoiler is open on no page until a reader opens it.</summary>
public sealed class PageSpoilerTests : IDisposable
{
    private const string Spoiler = "the cat drinks the tea";

    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageSpoilerTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_spoiler_stays_closed_where_nothing_can_open_it(bool isEdited)
    {
        await _room.SetVisibilityAsync("world_readable");
        var content = new { msgtype = "m.text", body = $"I saw it: {Spoiler}", format = "org.matrix.custom.html", formatted_body = Html };
        var id = isEdited ? await _room.SayAsync("I saw") : await _room.PushAsync("m.room.message", JsonSerializer.Serialize(content));
        if (isEdited)
        {
            await _room.PushAsync("m.room.message", JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["msgtype"] = "m.text",
                ["body"] = $"* I saw it: {Spoiler}",
                ["format"] = "org.matrix.custom.html",
                ["formatted_body"] = $"* {Html}",
                ["m.new_content"] = content,
                ["m.relates_to"] = new { rel_type = "m.replace", event_id = id },
            }));
        }

        await _room.PushAsync("m.room.message", JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = "oh",
            ["m.relates_to"] = new Dictionary<string, object> { ["m.in_reply_to"] = new { event_id = id } },
        }));
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await pages.UntilIndexedAsync();
        foreach (var address in (string[])[$"{_room.Day}.txt", $"/r/{_room.Id}/feed.atom", "/search?q=saw", "/search?q=oh"])
        {
            var page = await pages.ReadAsync(address);
            Assert.Contains("it: (spoiler)", page, StringComparison.Ordinal);
            Assert.DoesNotContain("cat", page, StringComparison.Ordinal);
        }

        Assert.Contains("Nothing was found.", await pages.ReadAsync("/search?q=drinks"), StringComparison.Ordinal);
        var day = await pages.ReadAsync(_room.Day);
        Assert.Contains($"<span class=\"hidden\">{Spoiler}</span>", day, StringComparison.Ordinal);
        Assert.Equal(2, day.Split(Spoiler).Length);
    }

    [Theory]
    [InlineData("m.message", """{"m.text":TEXTS}""")]
    [InlineData("m.message", """{"org.matrix.msc1767.text":"PLAIN","org.matrix.msc1767.html":"HTML"}""")]
    [InlineData("m.message", """{"m.text":[{"body":"* PLAIN"}],"m.new_content":{"m.text":TEXTS},"m.relates_to":EDIT}""")]
    [InlineData("m.image", """{"m.text":[{"body":"PLAIN"}],"m.file":{"name":"a.png","url":"mxc://x/a"},"m.caption":{"m.text":TEXTS}}""")]
    [InlineData("m.poll.start", """{"m.poll":{"question":{"m.text":TEXTS},"answers":[{"m.id":"1","m.text":TEXTS}]}}""")]
    [InlineData(
        "m.room.message",
        """{"msgtype":"m.gallery","body":"","itemtypes":[{"itemtype":"m.image","filename":"a.png","url":"mxc://x/a",FORMATTED}]}""")]
    [InlineData(
        "m.room.message",
        """{"msgtype":"m.text","body":"* PLAIN","m.new_content":{"msgtype":"m.text",FORMATTED},"m.relates_to":EDIT}""")]
    public async Task A_spoiler_stays_closed_in_every_form_of_text(string type, string content)
    {
        await _room.SetVisibilityAsync("world_readable");
        var other = await _room.SayAsync("hello", PublicRoom.Bob);
        var json = content
            .Replace("TEXTS", """[{"body":"PLAIN"},{"mimetype":"text/html","body":"HTML"}]""", StringComparison.Ordinal)
            .Replace(
                "FORMATTED", """ "body":"PLAIN","format":"org.matrix.custom.html","formatted_body":"HTML" """, StringComparison.Ordinal)
            .Replace("EDIT", $$"""{"rel_type":"m.replace","event_id":"{{other}}"}""", StringComparison.Ordinal)
            .Replace("PLAIN", $"I saw it: {Spoiler}", StringComparison.Ordinal)
            .Replace("HTML", $"<b>I saw</b> it: <span data-mx-spoiler>{Spoiler}</span>", StringComparison.Ordinal);
        await _room.PushAsync(type, json);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        await pages.UntilIndexedAsync();
        foreach (var address in (string[])[$"{_room.Day}.txt", $"/r/{_room.Id}/feed.atom", "/search?q=saw", _room.Day])
        {
            var page = await pages.ReadAsync(address);
            var open = page.Replace($"<span class=\"hidden\">{Spoiler}</span>", "", StringComparison.Ordinal);
            Assert.DoesNotContain("the cat", open, StringComparison.Ordinal);
        }

        if (!content.Contains("EDIT", StringComparison.Ordinal))
        {
            Assert.Contains("it: (spoiler)", await pages.ReadAsync($"{_room.Day}.txt"), StringComparison.Ordinal);
        }

        Assert.Contains("Nothing was found.", await pages.ReadAsync("/search?q=drinks"), StringComparison.Ordinal);
    }

    private static string Html => $"<b>I saw</b> it: <span DATA-MX-SPOILER=\"film\">{Spoiler}</span>";
}
