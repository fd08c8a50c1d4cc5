using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Pages;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Pages;

/// <summary>Addresses of days and messages stay valid when rooms are renamed or upgraded.</summary>
public sealed class LastingAddressTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;

    public LastingAddressTests() => _room = new(_folder);

    public void Dispose()
    {
        _room.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_message_has_the_same_addresses_after_its_room_was_renamed()
    {
        await _room.SetVisibilityAsync("world_readable");
        var id = await _room.SayAsync("tea");
        Link("logged_tea", _room.Id);
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        var address = (await pages.GetAsync($"/r/logged_tea/e/{Uri.EscapeDataString(id)}")).Headers["Location"];
        Assert.Equal($"{_room.Day}#{PageLinks.Anchor(id)}", address);
        var entries = EntriesOf(await pages.ReadAsync("/r/logged_tea/feed.atom"));
        Assert.NotEmpty(entries);

        File.Delete(Path.Combine(_room.Logs, "logged_tea"));
        Link("logged_coffee", _room.Id);
        await UntilAsync(pages, "/r/logged_coffee", HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync("/r/logged_tea")).Status);
        Assert.Contains("tea", await pages.ReadAsync(address.Split('#')[0]), StringComparison.Ordinal);
        Assert.Equal(entries, EntriesOf(await pages.ReadAsync("/r/logged_coffee/feed.atom")));
    }

    [Fact]
    public async Task A_day_before_an_upgrade_is_found_by_the_alias_and_the_rooms_link_to_each_other()
    {
        var (old, days) = await UpgradeAsync();
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        foreach (var suffix in (string[])["", ".txt", "?page=1"])
        {
            var response = await pages.GetAsync($"/r/logged_tea/2026/11/23{suffix}");
            Assert.Equal((HttpStatusCode.Found, $"{days[0]}{suffix}"), (response.Status, response.Headers.GetValueOrDefault("Location")));
        }

        var byId = days[0].Replace(IdOf(old), IdOf(_room.Id), StringComparison.Ordinal);
        foreach (var unknown in (string[])["/r/logged_tea/2026/11/22", "/r/logged_tea/2026/11/23.exe", byId])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await pages.GetAsync(unknown)).Status);
        }

        foreach (var page in (string[])["/r/logged_tea", "/r/logged_tea/2026/11/25", days[1]])
        {
            Assert.Contains(LinkTo($"/r/{IdOf(old)}"), await pages.ReadAsync(page), StringComparison.Ordinal);
        }

        Assert.Contains(LinkTo("/r/logged_tea"), await pages.ReadAsync(days[0]), StringComparison.Ordinal);
        Assert.Contains(LinkTo("/r/logged_tea"), await pages.ReadAsync($"/r/{IdOf(old)}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_predecessor_that_readers_may_not_see_is_not_mentioned(bool isHidden)
    {
        var (old, days) = await UpgradeAsync();
        await using var pages = await PagesUnderTest.StartAsync(_room.Logs);
        Assert.Contains(old, WebUtility.HtmlDecode(await pages.ReadAsync(days[1])), StringComparison.Ordinal);
        if (isHidden)
        {
            new HiddenEvents(_room.Logs).Set("room", old, isHidden: true);
        }
        else
        {
            _room.Id = old;
            await _room.SetVisibilityAsync("shared");
        }

        await UntilAsync(pages, days[0], HttpStatusCode.NotFound);
        foreach (var page in (string[])[days[1], "/r/logged_tea", "/r/logged_tea/2026/11/26"])
        {
            var text = Uri.UnescapeDataString(WebUtility.HtmlDecode(await pages.ReadAsync(page)));
            Assert.DoesNotContain(old, text, StringComparison.Ordinal);
        }

        var unknown = await pages.GetAsync("/r/logged_tea/2026/11/22");
        Assert.Equal(unknown.Body, (await pages.GetAsync("/r/logged_tea/2026/11/23")).Body);
        Assert.Equal(HttpStatusCode.NotFound, unknown.Status);
    }

    /// <summary>Returns the id of the predecessor, and the addresses of its day and of the two days of the room.</summary>
    private async Task<(string Old, string[] Days)> UpgradeAsync()
    {
        var old = _room.Id;
        await _room.SetVisibilityAsync("world_readable");
        await _room.SayAsync("in the old room");
        List<string> days = [_room.Day];
        _room.Id = Some.RoomId();
        _room.Time.Advance(TimeSpan.FromDays(2));
        await _room.SetVisibilityAsync("world_readable");
        await _room.StateAsync("m.room.name", """{"name":"New tea"}""");
        days.Add(_room.Day);
        _room.Time.Advance(TimeSpan.FromDays(1));
        await _room.SayAsync("in the new room");
        days.Add(_room.Day);
        Link("logged_tea", _room.Id);
        Link(Path.Combine(_room.Id, "previous"), $"../{old}");
        Link(Path.Combine(old, "next"), $"../{_room.Id}");
        return (old, [.. days]);
    }

    private void Link(string link, string target) => Directory.CreateSymbolicLink(Path.Combine(_room.Logs, link), target);

    private static string IdOf(string roomId) => Uri.EscapeDataString(roomId);

    private static string LinkTo(string address) => $"class=\"note\">This room {(address.Contains("logged_tea", StringComparison.Ordinal)
        ? "was replaced. The newer one:" : "continues an older one:")} <a href=\"{address}\">";

    private static List<string> EntriesOf(string feed) =>
    [
        .. Regex.Matches(feed, "<entry>.*?</entry>")
            .Select(entry => string.Join(' ', Regex.Matches(entry.Value, "<id>.*?</id>|href=\".*?\""))),
    ];

    private static Task UntilAsync(PagesUnderTest pages, string address, HttpStatusCode status) =>
        Wait.UntilAsync(async () => (await pages.GetAsync(address)).Status == status, $"{address}: {status}");
}
