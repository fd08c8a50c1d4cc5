using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>No address takes the pages from the others, also behind a proxy.</summary>
public sealed class PageLimitTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_address_that_asks_too_much_is_refused_and_others_are_not()
    {
        await using var pages = await PagesUnderTest.StartAsync(_folder["logs"]);
        var refused = await AskUntilRefusedAsync(pages, "192.0.2.1");
        Assert.Equal("2", refused.Headers["Retry-After"]);
        Assert.Contains("Too many requests", refused.Body, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", refused.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(pages, "192.0.2.2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await pages.GetAsync("/")).Status);

        // What a client says of itself counts only if the proxy says it, too.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AskAsync(pages, "198.51.100.7, 192.0.2.1")).Status);
    }

    [Fact]
    public async Task One_network_of_IPv6_is_one_client()
    {
        await using var pages = await PagesUnderTest.StartAsync(_folder["logs"]);
        await AskUntilRefusedAsync(pages, "2001:db8:0:1::1");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AskAsync(pages, "2001:db8:0:1:ffff::2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(pages, "2001:db8:0:2::1")).Status);
    }

    [Fact]
    public async Task Only_a_named_proxy_is_believed()
    {
        await using var pages = await PagesUnderTest.StartAsync(_folder["logs"], "--Pages:Proxies:0=192.0.2.200");
        await AskUntilRefusedAsync(pages, "192.0.2.1");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AskAsync(pages, "192.0.2.2")).Status);
    }

    [Fact]
    public async Task All_addresses_of_a_room_are_below_the_path()
    {
        using var room = new PublicRoom(_folder);
        var id = await TeaHouse.FillAsync(room);
        await using var pages = await PagesUnderTest.StartAsync(room.Logs, "--Pages:PathPrefix=/logs");
        var path = $"/logs/r/{Uri.EscapeDataString(room.Id)}";
        foreach (var page in (string[])["/logs/", path, $"/logs{room.Day}", $"{path}/nothing"])
        {
            var body = (await pages.GetAsync(page)).Body;
            Assert.All(
                Regex.Matches(body, "(?:href|src|data-live|data-link|action)=\"(/[^\"]*)\""),
                link => Assert.StartsWith("/logs/", WebUtility.HtmlDecode(link.Groups[1].Value), StringComparison.Ordinal));
        }

        Assert.StartsWith("/logs/r/", (await pages.GetAsync($"{path}/latest")).Headers["Location"], StringComparison.Ordinal);
        Assert.StartsWith(
            "/logs/r/", (await pages.GetAsync($"{path}/e/{Uri.EscapeDataString(id)}")).Headers["Location"], StringComparison.Ordinal);
        Assert.DoesNotMatch("href=\"/(?!logs/)", await pages.ReadAsync($"{path}/feed.atom"));
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync("/logsx/")).Status);
    }

    private static Task<PagesUnderTest.PageResponse> AskAsync(PagesUnderTest pages, string address) =>
        pages.GetAsync("/", ("X-Forwarded-For", address));

    private static async Task<PagesUnderTest.PageResponse> AskUntilRefusedAsync(PagesUnderTest pages, string address)
    {
        for (var i = 0; i < 5000; i++)
        {
            var response = await AskAsync(pages, address);
            if (response.Status == HttpStatusCode.TooManyRequests)
            {
                return response;
            }

            Assert.Equal(HttpStatusCode.OK, response.Status);
        }

        throw new InvalidOperationException("No request was refused.");
    }
}
