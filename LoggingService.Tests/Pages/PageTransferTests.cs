using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>What is sent again, and how: tags, feeds, compression.</summary>
public sealed class PageTransferTests : IDisposable
{
    private static readonly XNamespace Atom = "http://www.w3.org/2005/Atom";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageTransferTests() => _room = new(_folder);

    private string Feed => $"/r/{Uri.EscapeDataString(_room.Id)}/feed.atom";

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_of_a_long_day_has_each_line_once_and_is_sent_again_only_when_it_changed()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync("number 0.");
        var record = Directory.GetFiles(Path.Combine(_room.Logs, _room.Id), "*.jsonl").Single();
        var line = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))[^1];
        await File.AppendAllLinesAsync(
            record,
            Enumerable.Range(1, 700).Select(i => line.Replace(id, $"$copy{i}", StringComparison.Ordinal)
                .Replace("number 0.", $"number {i}.", StringComparison.Ordinal)),
            TestContext.Current.CancellationToken);
        var day = _room.Day;
        _room.Time.Advance(TimeSpan.FromDays(8));
        await _room.SayAsync("newest day");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var file = await pages.ReadAsync($"{day}.html");
        Assert.Equal(
            Enumerable.Range(0, 701).Select(i => $"number {i}."), Regex.Matches(file, "number \\d+\\.").Select(match => match.Value));
        string[] addresses = [$"{day}.html", $"{day}.txt", $"{day}.jsonl", $"/r/{_room.Id}/2026/11.html", Feed];
        var tags = new List<string>();
        foreach (var address in addresses)
        {
            var tag = (await pages.GetAsync(address)).Headers["ETag"];
            var again = await pages.GetAsync(address, ("If-None-Match", tag));
            Assert.Equal((HttpStatusCode.NotModified, ""), (again.Status, again.Body));
            tags.Add(tag);
        }

        // The file of the day is that of its month.
        Assert.Equal(4, tags.Distinct().Count());
        Assert.False((await pages.GetAsync($"{_room.Day}.txt")).Headers.ContainsKey("ETag"));
        await _room.PushAsync("m.room.redaction", "{}", more: $",\"redacts\":\"{id}\"");
        foreach (var (address, tag) in addresses.Zip(tags))
        {
            await Wait.UntilAsync(
                async () => (await pages.GetAsync(address, ("If-None-Match", tag))).Status == HttpStatusCode.OK,
                $"{address} is sent again");
        }
    }

    [Fact]
    public async Task A_tag_counts_also_in_a_list_and_where_a_proxy_made_it_weak_but_not_after_a_change_of_what_all_pages_show()
    {
        await _room.SetVisibilityAsync("world_readable");
        var day = _room.Day;
        await _room.SayAsync("hello");
        _room.Time.Advance(TimeSpan.FromDays(1));
        await _room.SayAsync("newest day");
        string tag;
        await using (var pages = await PagesUnderTest.StartAsync(_room.Logs))
        {
            tag = (await pages.GetAsync(day)).Headers["ETag"];
            var opaque = tag[tag.IndexOf('"', StringComparison.Ordinal)..];
            foreach (var known in (string[])[opaque, $"W/{opaque}", $"\"other\", W/{opaque}", "*"])
            {
                Assert.Equal(HttpStatusCode.NotModified, (await pages.GetAsync(day, ("If-None-Match", known))).Status);
            }

            Assert.Equal(HttpStatusCode.OK, (await pages.GetAsync(day, ("If-None-Match", "\"other\", \"another\""))).Status);
        }

        foreach (var setting in (string[])["--Pages:Contact=abuse@localhost", $"--Pages:RobotsAllowed:0={_room.Id}"])
        {
            await using var pages = await PagesUnderTest.StartAsync(_room.Logs, setting);
            Assert.Equal(HttpStatusCode.OK, (await pages.GetAsync(day, ("If-None-Match", tag))).Status);
        }
    }

    [Theory]
    [InlineData(null, null, "http://localhost:5002")]
    [InlineData("logs.example.org", "https", "https://logs.example.org")]
    [InlineData("logs.example.org", null, "")]
    public async Task A_feed_has_the_addresses_under_which_its_reader_knows_the_pages(string? host, string? scheme, string origin)
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        List<(string, string)> headers = [("Host", "localhost:5002")];
        if (host is not null)
        {
            headers.AddRange([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Host", host)]);
        }

        if (scheme is not null)
        {
            headers.Add(("X-Forwarded-Proto", scheme));
        }

        var feed = XDocument.Parse((await pages.GetAsync(Feed, [.. headers])).Body).Root!;
        Assert.All(
            feed.Descendants(Atom + "link"),
            link => Assert.StartsWith($"{origin}/r/", link.Attribute("href")!.Value, StringComparison.Ordinal));
        Assert.Equal(
            origin + Feed, feed.Elements(Atom + "link").Single(link => link.Attribute("rel")!.Value == "self").Attribute("href")!.Value);
    }

    [Fact]
    public async Task A_host_that_no_named_proxy_tells_is_not_in_a_feed()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("hello");
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs, "--Pages:Proxies:0=192.0.2.200");
        var feed = await pages.GetAsync(
            Feed, ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"));
        Assert.DoesNotContain("evil.example", feed.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_of_a_feed_is_updated_by_an_edit_of_a_later_day()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync("see you tomorow");
        var said = _room.Time.GetUtcNow();
        _room.Time.Advance(TimeSpan.FromDays(1));
        await TeaHouse.EditAsync(_room, "see you tomorrow", id);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var entry = Assert.Single(XDocument.Parse(await pages.ReadAsync(Feed)).Root!.Elements(Atom + "entry"));
        Assert.Equal($"{said:yyyy-MM-ddTHH:mm:ssZ}", entry.Element(Atom + "published")!.Value);
        Assert.Equal($"{_room.Time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}", entry.Element(Atom + "updated")!.Value);
        Assert.Contains("tomorrow", entry.Element(Atom + "content")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_are_compressed_for_those_who_can_read_it_and_live_lines_are_not()
    {
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync(new string('x', 5000));
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var style = WebUtility.HtmlDecode(Regex.Match(await pages.ReadAsync("/"), "href=\"([^\"]*\\.css)\"").Groups[1].Value);
        foreach (var address in (string[])["/", _room.Day, $"{_room.Day}.html", $"{_room.Day}.txt", $"{_room.Day}.jsonl", Feed, style])
        {
            Assert.False((await pages.GetAsync(address)).Headers.ContainsKey("Content-Encoding"));
            var plain = await pages.GetBytesAsync(address);
            var (gzip, brotli) = (await pages.GetBytesAsync(address, "gzip"), await pages.GetBytesAsync(address, "gzip, br"));
            await using var unzipped = new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress);
            Assert.Equal(plain, await ReadAsync(unzipped));
            await using var decoded = new BrotliStream(new MemoryStream(brotli), CompressionMode.Decompress);
            Assert.Equal(plain, await ReadAsync(decoded));
        }

        Assert.Null(await pages.EncodingOfLiveAsync(_room.Id));
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        return all.ToArray();
    }
}
