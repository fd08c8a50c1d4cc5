using System.Globalization;
using Deque.AxeCore.Playwright;
using LoggingService.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LoggingService.Tests.Pages;

/// <summary>The pages on screens of all sizes, light and dark, by keyboard alone, and for those who use assistive technology.</summary>
public sealed class BrowserDisplayTests : IClassFixture<Chromium>, IAsyncLifetime
{
    private readonly Chromium _chromium;
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PublicRoom _room;
    private PagesUnderTest _pages = null!;

    public BrowserDisplayTests(Chromium chromium)
    {
        _chromium = chromium;
        _room = new(_folder);
    }

    private string[] Paths =>
    [
        "/", _room.Day, _room.Day.Replace("/25", "/23", StringComparison.Ordinal), $"/r/{Uri.EscapeDataString(_room.Id)}", "/nothing",
        "/search?q=th*+has:wings", $"/r/{Uri.EscapeDataString(_room.Id)}/search?q=nowhere",
    ];

    public async ValueTask InitializeAsync()
    {
        await TeaHouse.FillAsync(_room);
        _pages = await PagesUnderTest.StartAsync(_room.Logs, "--Pages:Contact=abuse@localhost");
        await _pages.UntilIndexedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _pages.DisposeAsync();
        _room.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(320, 1)]
    [InlineData(390, 1)]
    [InlineData(640, 2)]
    [InlineData(2560, 1)]
    public async Task Nothing_is_wider_than_the_screen(int width, float scale)
    {
        await using var browser = await _chromium.OpenAsync(
            new() { ViewportSize = new() { Width = width, Height = 640 }, DeviceScaleFactor = scale });
        foreach (var path in Paths)
        {
            await browser.Page.GotoAsync($"{_pages.Url}{path}");
            await browser.Page.EvaluateAsync("document.querySelectorAll('details').forEach(details => details.open = true)");
            Assert.True(await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width, path);
        }
    }

    [Theory]
    [InlineData(ColorScheme.Light, "rgb(255, 255, 255)")]
    [InlineData(ColorScheme.Dark, "rgb(22, 24, 28)")]
    public async Task No_page_has_a_violation_that_axe_finds(ColorScheme scheme, string background)
    {
        await using var browser = await _chromium.OpenAsync(new() { ColorScheme = scheme });
        foreach (var path in Paths)
        {
            await browser.Page.GotoAsync($"{_pages.Url}{path}");
            await browser.Page.EvaluateAsync("document.querySelectorAll('details').forEach(details => details.open = true)");
            Assert.Equal(background, await browser.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
            var found = await browser.Page.RunAxe();
            Assert.True(found.Violations.Length == 0, $"{path}: " + string.Join(
                '\n', found.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id}: {node.Html}: {rule.Help}"))));
        }
    }

    [Fact]
    public async Task A_member_needs_no_mouse()
    {
        await using var browser = await _chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync($"{_pages.Url}{_room.Day}");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByText("Skip to the messages")).ToBeFocusedAsync();
        await Expect(page.GetByText("Skip to the messages")).ToBeInViewportAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("j");
        var first = page.Locator("#chat > *").First;
        await Expect(first).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("j");
        await Expect(page.Locator("#chat > *").Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("k");
        await Expect(first).ToBeFocusedAsync();

        var fold = page.GetByText("3 changes of members");
        await fold.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("@finn:localhost joined")).ToBeVisibleAsync();
        await page.Locator(".spoiler input").FocusAsync();
        await page.Keyboard.PressAsync("Space");
        await Expect(page.GetByText("the leaves unfold")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("p");
        await Expect(page.GetByText("Who has tried the new sencha?")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("n");
        await Expect(page.GetByText("See you at four.")).ToBeVisibleAsync();

        // A page keeps the choice.
        var shortcuts = page.GetByLabel("Single-key shortcuts");
        await shortcuts.FocusAsync();
        await page.Keyboard.PressAsync("Space");
        await page.ReloadAsync();
        await Expect(shortcuts).Not.ToBeCheckedAsync();
        await page.Keyboard.PressAsync("p");
        await page.Keyboard.PressAsync("j");
        Assert.EndsWith("/25", page.Url, StringComparison.Ordinal);
        Assert.Equal("BODY", await page.EvaluateAsync<string>("document.activeElement.tagName"));
    }

    [Fact]
    public async Task Actions_of_a_message_show_when_the_keyboard_reaches_them()
    {
        await using var browser = await _chromium.OpenAsync();
        await browser.Page.GotoAsync($"{_pages.Url}{_room.Day}");
        var message = browser.Page.Locator("article", new() { HasText = "never" });
        var actions = message.Locator(".actions");
        await Expect(actions).ToHaveCSSAsync("opacity", "0");
        await message.GetByRole(AriaRole.Link, new() { Name = "Open in Matrix" }).FocusAsync();
        await Expect(actions).ToHaveCSSAsync("opacity", "1");
    }

    [Fact]
    public async Task Actions_of_a_message_show_when_a_phone_is_tapped()
    {
        await using var browser = await _chromium.OpenAsync(
            new() { ViewportSize = new() { Width = 390, Height = 800 }, HasTouch = true, IsMobile = true });
        await browser.Page.GotoAsync($"{_pages.Url}{_room.Day}");
        var message = browser.Page.Locator("article", new() { HasText = "never" });
        await Expect(message.Locator(".actions")).ToBeHiddenAsync();
        await message.GetByText("never").TapAsync();
        await Expect(message.GetByRole(AriaRole.Button, new() { Name = "Copy link" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_line_is_shared_by_keyboard_alone()
    {
        await using var browser = await _chromium.OpenAsync(new() { Permissions = ["clipboard-read", "clipboard-write"] });
        var page = browser.Page;
        await page.GotoAsync($"{_pages.Url}{_room.Day}");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("j");
        var line = page.Locator("#chat > *").Nth(1);
        await Expect(line).ToBeFocusedAsync();
        foreach (var (name, copied) in ((string, string)[])
            [
                ("Copy link", $"^{_pages.Url}/r/.*/e/%24event"),
                ("Copy text", "^\\[21:00\\] Alice Älva: 70 °C is enough for it, see https:"),
            ])
        {
            var button = line.GetByRole(AriaRole.Button, new() { Name = name });
            for (var i = 0; i < 5 && !await button.EvaluateAsync<bool>("button => button === document.activeElement"); i++)
            {
                await page.Keyboard.PressAsync("Tab");
            }

            await page.Keyboard.PressAsync("Enter");
            await Expect(line.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeFocusedAsync();
            Assert.Matches(copied, await page.EvaluateAsync<string>("navigator.clipboard.readText()"));
            await Expect(button).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task A_printed_day_has_its_lines_without_controls()
    {
        await using var browser = await _chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync($"{_pages.Url}{_room.Day}");
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(page.Locator("h1")).ToBeVisibleAsync();
        await Expect(page.GetByText("See you at four.")).ToBeVisibleAsync();
        await Expect(page.GetByText("@finn:localhost joined")).ToBeVisibleAsync();
        await Expect(page.GetByText("the leaves unfold")).ToBeHiddenAsync();
        await Expect(page.Locator(":is(header, footer, nav, button, .search, .actions):visible")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_message_in_Hebrew_begins_at_the_right_and_its_neighbours_at_the_left()
    {
        await using var browser = await _chromium.OpenAsync();
        await browser.Page.GotoAsync($"{_pages.Url}{_room.Day}");
        const string Gaps = """
            body => {
              const range = document.createRange();
              range.selectNodeContents(body);
              const [text, box] = [range.getBoundingClientRect(), body.getBoundingClientRect()];
              return [text.left - box.left, box.right - text.right].map(gap => gap < 2);
            }
            """;
        var hebrew = browser.Page.Locator(".body", new() { HasText = "שלום" });
        var english = browser.Page.Locator(".body", new() { HasText = "See you" });
        bool[] atLeft = await english.EvaluateAsync<bool[]>(Gaps);
        bool[] atRight = await hebrew.EvaluateAsync<bool[]>(Gaps);
        Assert.Equal((true, false), (atLeft[0], atLeft[1]));
        Assert.Equal((false, true), (atRight[0], atRight[1]));
    }

    [Theory]
    [InlineData(ReducedMotion.Reduce, "auto")]
    [InlineData(ReducedMotion.NoPreference, "smooth")]
    public async Task Pages_scroll_smoothly_unless_the_reader_wants_less_motion(ReducedMotion motion, string expected)
    {
        await using var browser = await _chromium.OpenAsync(new() { ReducedMotion = motion });
        await browser.Page.GotoAsync($"{_pages.Url}{_room.Day}");
        await Expect(browser.Page.Locator("html")).ToHaveCSSAsync("scroll-behavior", expected);
    }

    /// <summary>With <c>SCREENSHOTS=docs/pages</c> in the environment, for the documents.</summary>
    [Fact]
    public async Task Screenshots_show_the_pages()
    {
        var folder = Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } kept
            ? Path.GetFullPath(kept, Checkout.Folder)
            : _folder["screenshots"];
        var id = Uri.EscapeDataString(_room.Id);
        foreach (var (name, path, width, height, scheme) in ((string, string, int, int, ColorScheme)[])
            [
                ("rooms", "/", 800, 400, ColorScheme.Light), ("day", _room.Day, 900, 900, ColorScheme.Light),
                ("day-dark-phone", _room.Day, 390, 800, ColorScheme.Dark), ("calendar", $"/r/{id}", 900, 700, ColorScheme.Light),
                ("search", "/search?q=water", 900, 560, ColorScheme.Light),
            ])
        {
            await using var browser = await _chromium.OpenAsync(new()
            {
                ViewportSize = new() { Width = width, Height = height },
                ColorScheme = scheme,
                HasTouch = width < 500,
                IsMobile = width < 500,
            });
            await browser.Page.GotoAsync($"{_pages.Url}{path}");
            var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}.png"));
            await browser.Page.ScreenshotAsync(new() { Path = file });
            Assert.InRange(new FileInfo(file).Length, 5_000, 150_000);
            Assert.Empty(browser.Messages);
        }
    }
}
