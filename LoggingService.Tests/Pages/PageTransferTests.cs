using System.Net;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Pages;

/// <summary>What is sent again, and how.</summary>
public sealed class PageTransferTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public PageTransferTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
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
}
