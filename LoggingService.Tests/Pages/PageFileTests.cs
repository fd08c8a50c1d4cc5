using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Pages;

/// <summary>Days of a room as one file, from the pages and from the command <c>export</c>.</summary>
public sealed class PageFileTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageFileTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_day_or_a_month_is_downloaded_as_one_file_that_loads_nothing()
    {
        await _room.SayAsync("before it was public");
        var answer = await TeaHouse.FillAsync(_room);
        var secret = await _room.SayAsync("secret");
        new HiddenEvents(_room.Logs).Set("event", secret, isHidden: true);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var calendar = await pages.ReadAsync($"/r/{_room.Id}");
        var link = WebUtility.HtmlDecode(Regex.Match(calendar, "class=\"download\" href=\"([^\"]*)\"").Groups[1].Value);
        Assert.EndsWith("/2026/11.html", link, StringComparison.Ordinal);
        var month = await pages.GetAsync(link);
        Assert.Equal("attachment; filename=\"log-2026-11.html\"", month.Headers["Content-Disposition"]);
        AssertWhole(month.Body);
        Assert.Contains("Who has tried the new sencha?", month.Body, StringComparison.Ordinal);
        Assert.Contains($"id=\"{LoggingService.Pages.PageLinks.Anchor(answer)}\"", month.Body, StringComparison.Ordinal);

        var day = await pages.GetAsync($"{_room.Day}.html");
        AssertWhole(day.Body);
        Assert.Contains("never", day.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("sencha?", day.Body, StringComparison.Ordinal);
        foreach (var none in (string[])["2026/10.html", "2026/13.html", "2026/xx.html", "2026/11.htm"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync($"/r/{_room.Id}/{none}")).Status);
        }
    }

    [Fact]
    public async Task The_command_exports_what_the_pages_show()
    {
        await _room.SayAsync("before it was public");
        await TeaHouse.FillAsync(_room);
        var secret = await _room.SayAsync("secret");
        new HiddenEvents(_room.Logs).Set("event", secret, isHidden: true);
        await using var export = ServiceProcess.Start(
            _folder.Path, "export", _room.Id, "--format", "html", "--logs", _room.Logs, "--from", "2026-11-24");
        Assert.Equal(0, await export.WaitForExitAsync());
        var path = _folder[$"export/{_room.Id}.html"];
        Assert.Equal($"Exported 1 day to {path}", Assert.Single(export.Output));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var html = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        AssertWhole(html);
        Assert.DoesNotContain("sencha?", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_exports_nothing_of_a_private_room()
    {
        await _room.SayAsync("private");
        await ServiceProcess.AssertOneLineAsync(
            1, _folder, $"The web pages show nothing of {_room.Id}", "export", _room.Id, "--format", "html", "--logs", _room.Logs);
        Assert.Empty(Directory.GetFiles(_folder["export"]));
    }

    private static void AssertWhole(string html)
    {
        Assert.StartsWith("<!DOCTYPE html>", html.TrimStart('\uFEFF', '\n', '\r'), StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", html, StringComparison.Ordinal);
        Assert.Contains("Hidden by the administrators", html, StringComparison.Ordinal);
        Assert.Contains("Message removed", html, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", html, StringComparison.Ordinal);
        Assert.DoesNotContain("regret", html, StringComparison.Ordinal);
        Assert.DoesNotContain("before it was public", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"/", html);
    }
}
