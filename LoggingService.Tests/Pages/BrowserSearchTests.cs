using LoggingService.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LoggingService.Tests.Pages;

/// <summary>Searching the pages in a real browser.</summary>
public sealed class BrowserSearchTests : IClassFixture<Chromium>, IAsyncLifetime
{
    private readonly Chromium _chromium;
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;
    private PagesUnderTest _pages = null!;

    public BrowserSearchTests(Chromium chromium)
    {
        _chromium = chromium;
        _room = new(_folder);
    }

    public async ValueTask InitializeAsync()
    {
        await TeaHouse.FillAsync(_room);
        _pages = await PagesUnderTest.StartAsync(_room.Logs);
        await _pages.UntilIndexedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _pages.DisposeAsync();
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_member_searches_and_follows_a_hit_to_its_day(bool hasScripts)
    {
        await using var browser = await _chromium.OpenAsync(new() { JavaScriptEnabled = hasScripts });
        var page = browser.Page;
        await page.GotoAsync(_pages.Url);
        await page.GetByRole(AriaRole.Searchbox, new() { Name = "Search all rooms" }).FillAsync("long STEEP");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await Expect(page.GetByText("1 result", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("long STEEP");
        var hit = page.Locator(".hits > li");
        await Expect(hit.Locator(".text")).ToHaveTextAsync(
            ["70 °C is enough for it, see https://example.org/tea?leaf=green&time=2", "How long do you let it steep?",
            "Two minutes, never more"]);
        await Expect(hit.Locator(".sender")).ToHaveTextAsync(["Alice Älva", "Bob", "Alice Älva"]);
        await Expect(hit.Locator(".sender").First).ToHaveCSSAsync("font-weight", "600");
        await Expect(hit.Locator("mark")).ToHaveTextAsync(["long", "steep"]);
        await Expect(hit.Locator("mark").First).ToHaveCSSAsync("background-color", "rgb(255, 243, 196)");
        await Expect(hit.Locator(".hit time")).ToContainTextAsync(hasScripts ? "2026-11-25 21:" : "2026-11-25 12:");
        await hit.Locator(".hit a").ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync("Wednesday, 25 November 2026");
        await ExpectHighlightedAsync(page, "How long do you let it steep?");
        Assert.Empty(browser.Messages);
    }

    [Fact]
    public async Task A_member_searches_a_room_without_a_mouse()
    {
        await using var browser = await _chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync($"{_pages.Url}{_room.Day}");
        await TabToAsync(page.GetByRole(AriaRole.Searchbox, new() { Name = "Search this room" }));

        // Single keys are text here, no shortcuts.
        await page.Keyboard.TypeAsync("jpn");
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("jpn");
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.TypeAsync("steep");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("1 result", new() { Exact = true })).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByText("Skip to the messages")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page.Locator(".hit a"));
        await page.Keyboard.PressAsync("Enter");
        await ExpectHighlightedAsync(page, "How long do you let it steep?");
        await page.GoBackAsync();
        await TabToAsync(page.GetByRole(AriaRole.Link, new() { Name = "Search all rooms" }));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".hits .in")).ToHaveTextAsync("Tea house");
    }

    private static async Task ExpectHighlightedAsync(IPage page, string text)
    {
        var line = page.Locator("article:target");
        await Expect(line).ToContainTextAsync(text);
        await Expect(line).ToBeInViewportAsync();
        await Expect(line).ToHaveCSSAsync("background-color", "rgb(255, 243, 196)");
    }

    private static async Task TabToAsync(ILocator element)
    {
        for (var i = 0; i < 20 && !await element.EvaluateAsync<bool>("element => element === document.activeElement"); i++)
        {
            await element.Page.Keyboard.PressAsync("Tab");
        }

        await Expect(element).ToBeFocusedAsync();
    }
}
