using Microsoft.Playwright;

namespace LoggingService.Tests.Support;

/// <summary>Debian's unmodified Chromium, one process for the tests of a class.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>
    /// Why there is no browser on this machine, so that tests that need it are skipped; <c>null</c> if there is. With <c>CI=true</c> in
    /// the environment always <c>null</c>: such a test then fails.
    /// </summary>
    private static string? SkipReason =>
        File.Exists(Program) || Environment.GetEnvironmentVariable("CI") == "true" ? null
        : "There is no browser here. Run: apt-get install chromium";

    /// <summary>Opens an empty page in a profile of its own.</summary>
    internal async Task<BrowserPage> OpenAsync(BrowserNewContextOptions? options = null)
    {
        Assert.SkipWhen(SkipReason is not null, SkipReason ?? "");
        var (_, browser) = await _started.Value;
        options ??= new();
        options.TimezoneId ??= "Asia/Tokyo";
        options.ReducedMotion ??= ReducedMotion.Reduce;
        return await BrowserPage.CreateAsync(await browser.NewContextAsync(options));
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
        {
            var (driver, browser) = await _started.Value;
            await browser.DisposeAsync();
            driver.Dispose();
        }
    }

    private static async Task<(IPlaywright Driver, IBrowser Browser)> StartAsync()
    {
        var driver = await Playwright.CreateAsync();
        var browser = await driver.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            // As root, it has no sandbox; it opens our pages only.
            Args = ["--no-sandbox"],
        });
        return (driver, browser);
    }
}

/// <summary>A page of a browser of its own profile.</summary>
internal sealed class BrowserPage : IAsyncDisposable
{
    private readonly List<string> _messages = [];

    private BrowserPage(IPage page) => Page = page;

    public IPage Page { get; }

    /// <summary>Errors of scripts, and what the browser refused to run or to load.</summary>
    public IReadOnlyList<string> Messages => _messages;

    public static async Task<BrowserPage> CreateAsync(IBrowserContext context)
    {
        var page = new BrowserPage(await context.NewPageAsync());
        page.Page.Console += (_, message) => page._messages.Add($"{message.Type}: {message.Text}");
        page.Page.PageError += (_, error) => page._messages.Add(error);
        page.Page.Dialog += async (_, dialog) =>
        {
            page._messages.Add($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        return page;
    }

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();
}
