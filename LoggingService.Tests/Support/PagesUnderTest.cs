using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Options;
using LoggingService.Pages;
using LoggingService.Search;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Support;

/// <summary>The pages of a log directory, on a real socket in the test process.</summary>
internal sealed class PagesUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    private PagesUnderTest(WebApplication app) => _app = app;

    public VisibleRooms Rooms => _app.Services.GetRequiredService<VisibleRooms>();

    /// <summary>Starts the pages, and waits until they have read the logs.</summary>
    /// <param name="settings">Such as <c>--Pages:PathPrefix=/logs</c>.</param>
    public static Task<PagesUnderTest> StartAsync(string logs, params string[] settings) =>
        StartAsync(logs, SearchLimits.Default, settings);

    public static async Task<PagesUnderTest> StartAsync(string logs, SearchLimits limits, params string[] settings)
    {
        Directory.CreateDirectory(logs);
        var builder = SettingsSources.CreateBuilder(
            ["--Pages:Urls=http://127.0.0.1:0", $"--{SettingsSources.MachineFileKey}=", .. settings]);
        builder.Services.AddSingleton(limits);
        var pages = new PagesUnderTest(PagesHost.Build(builder, PagesOptions.Read(builder.Configuration), logs));
        await pages._app.StartAsync(TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => pages.Rooms.IsReady, "the logs are read");
        return pages;
    }

    /// <summary>Where the pages are, without a slash at the end.</summary>
    public string Url => _app.Urls.Single();

    /// <summary>Waits until searches find what the logs have.</summary>
    public Task UntilIndexedAsync() => Wait.UntilAsync(
        () => !_app.Services.GetRequiredService<IndexMaintenance>().IsBuilding, "the logs are indexed");

    /// <summary>Follows the page of a newest day, from what it shows now or from an earlier event on.</summary>
    public async Task<LiveEvents> FollowAsync(string day, string? lastEventId = null)
    {
        var page = await ReadAsync(day);
        var address = Regex.Match(page, "data-live=\"([^\"]*)\"").Groups[1].Value;
        Assert.NotEqual("", address);
        return await LiveEvents.OpenAsync(_client, $"{Url}{WebUtility.HtmlDecode(address)}", lastEventId);
    }

    /// <summary>Follows the newest day of a room from a position.</summary>
    public Task<LiveEvents> OpenLiveAsync(string roomId, string from) =>
        LiveEvents.OpenAsync(_client, $"{Url}/r/{Uri.EscapeDataString(roomId)}/live?from={from}", lastEventId: null);

    /// <param name="path">Is sent as it is.</param>
    public async Task<PageResponse> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        var uri = new Uri(
            $"{_app.Urls.Single()}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        var all = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new(response.StatusCode, all, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The body of a page as it was sent.</summary>
    public async Task<byte[]> GetBytesAsync(string path, string? acceptedEncodings = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Url}{path}");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", acceptedEncodings ?? "identity");
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>How live lines are compressed for a browser; <c>null</c> if they are not.</summary>
    public async Task<string?> EncodingOfLiveAsync(string roomId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Url}/r/{Uri.EscapeDataString(roomId)}/live?from=20261123-0-x");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip, br");
        using var response = await _client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return response.Content.Headers.ContentEncoding.SingleOrDefault();
    }

    /// <summary>The body of a page that must exist.</summary>
    public async Task<string> ReadAsync(string path)
    {
        var response = await GetAsync(path);
        Assert.True(response.Status == HttpStatusCode.OK, $"{path}: {response.Status}");
        return response.Body;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();

        // Nothing writes to the index any more.
        await _app.StopAsync(TestContext.Current.CancellationToken);
        await _app.DisposeAsync();
    }

    internal sealed record PageResponse(HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, string Body);
}
