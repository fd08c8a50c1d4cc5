using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>Readers who take their pages slowly keep nobody else from reading.</summary>
public sealed class SlowReaderTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public SlowReaderTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData(".html")]
    [InlineData(".txt")]
    public async Task Readers_who_take_nothing_of_a_large_day_hold_up_no_page(string suffix)
    {
        await FillAsync();
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var slow = new List<RawConnection>();
        for (var i = 0; i < 8; i++)
        {
            slow.Add(await AskAsync(pages, $"{_room.Day}{suffix}", $"192.0.2.{i}"));
        }

        Assert.Contains(_room.Id, await pages.ReadAsync("/"), StringComparison.Ordinal);
        var page = await pages.ReadAsync($"/r/{_room.Id}");
        var style = Regex.Match(page, "href=\"(/assets/[^\"]*)\"").Groups[1].Value;
        Assert.Contains(".message", await pages.ReadAsync(style), StringComparison.Ordinal);
        foreach (var reader in slow)
        {
            // It was not closed meanwhile, which the server does to readers who are too slow.
            Assert.InRange(await reader.CountToEndAsync(), 6_000_000, long.MaxValue);
            reader.Dispose();
        }
    }

    [Fact]
    public async Task An_address_that_leaves_large_pages_unread_gets_no_more_of_them()
    {
        await FillAsync();
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        using (await AskAsync(pages, _room.Day, "192.0.2.1"))
        {
            var refused = await pages.GetAsync(_room.Day, ("X-Forwarded-For", "192.0.2.1"));
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
            Assert.Contains("Too many requests", refused.Body, StringComparison.Ordinal);
            Assert.False(refused.Headers.ContainsKey("ETag"));
            Assert.Equal(HttpStatusCode.OK, (await pages.GetAsync("/", ("X-Forwarded-For", "192.0.2.1"))).Status);
            Assert.Equal(HttpStatusCode.OK, (await pages.GetAsync(_room.Day, ("X-Forwarded-For", "192.0.2.2"))).Status);
        }

        await Wait.UntilAsync(
            async () => (await pages.GetAsync(_room.Day, ("X-Forwarded-For", "192.0.2.1"))).Status == HttpStatusCode.OK,
            "the page is not sent any more");
    }

    /// <summary>Asks for a page, and reads only the headers of the response.</summary>
    private static async Task<RawConnection> AskAsync(PagesUnderTest pages, string path, string address)
    {
        var connection = await RawConnection.OpenAsync(new Uri(pages.Url).Port, receiveBuffer: 4096);
        await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: {address}\r\n\r\n");
        var head = await connection.ReadToAsync("\r\n\r\n", ServiceProcess.DefaultLimit);
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        return connection;
    }

    /// <summary>Logs a day with 6 MB of messages, on one page.</summary>
    private async Task FillAsync()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync(new string('x', 50_000));
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        var line = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))[^1];
        await File.AppendAllLinesAsync(
            record, Enumerable.Range(1, 120).Select(i => line.Replace(id, $"$copy{i}", StringComparison.Ordinal)),
            TestContext.Current.CancellationToken);
    }
}
