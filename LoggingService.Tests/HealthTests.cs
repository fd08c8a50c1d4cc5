using System.Diagnostics;
using System.Text.Json;
using LoggingService.Admin;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>What the health checks of the admin listener say about a service that works, and about one that does not.</summary>
public sealed class HealthTests : IDisposable
{
    private const string WhoAmI = "GET /_matrix/client/v3/account/whoami";
    private static readonly Dictionary<string, string> AdminOn = new() { ["LoggingService:Admin"] = "http://127.0.0.1:0" };
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly string _room = Some.RoomId();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_service_that_works_is_ready_and_tells_its_figures()
    {
        using var service = new ServiceUnderTest(settings: AdminOn);
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(_room))).Status);

        var health = await WaitForAsync(service, "healthy");
        Assert.All(
            ["journal", "space", "backlog", "rooms", "recovery", "homeserver"],
            name => Assert.Equal("healthy", health.GetProperty("checks").GetProperty(name).GetProperty("status").GetString()));
        Assert.InRange(Figure(health, "backlog", "bytes"), 1, Figure(health, "backlog", "max_bytes"));
        Assert.InRange(Figure(health, "space", "required_bytes"), 64 << 20, Figure(health, "space", "free_bytes"));
        Assert.Equal(0, Figure(health, "rooms", "parked"));
        await Wait.UntilAsync(() => Figure(GetAsync(service).Result.Health, "rooms", "open") == 1, "the open room is counted");
        Assert.StartsWith("0.", health.GetProperty("version").GetString(), StringComparison.Ordinal);
        using var process = Process.GetCurrentProcess();
        Assert.Equal(
            process.StartTime.ToUniversalTime(), health.GetProperty("started_at").GetDateTime(), precision: TimeSpan.FromSeconds(2));
        Assert.Equal((200, "healthy"), await GetStatusAsync(service, "live"));
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public async Task A_service_with_a_room_that_cannot_be_written_is_not_ready_until_it_can()
    {
        using var service = new ServiceUnderTest(settings: AdminOn) { MaxRetryDelay = TimeSpan.FromSeconds(1) };
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(Some.RoomId()))).Status);
        var folder = Path.Combine(service.Logs, _room);
        await File.WriteAllTextAsync(folder, "a file in its place", TestContext.Current.CancellationToken);
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(_room))).Status);

        var health = await WaitForAsync(service, "unhealthy");
        Assert.Equal(1, Figure(health, "rooms", "parked"));
        Assert.Equal("files of rooms cannot be written; the log of the service names them", Reason(health, "rooms"));
        Assert.DoesNotContain(_room, health.GetRawText(), StringComparison.Ordinal);
        Assert.Equal((200, "healthy"), await GetStatusAsync(service, "live"));
        Assert.Single(service.WarningsAndErrors);

        File.Delete(folder);
        Assert.Equal(0, Figure(await WaitForAsync(service, "healthy"), "rooms", "parked"));
    }

    [Theory]
    [InlineData("space", "the disk is almost full")]
    [InlineData("space", "the disk has almost no free inodes")]
    [InlineData("backlog", "the backlog is too large")]
    [InlineData("backlog", "the oldest entry of the backlog has waited too long")]
    public async Task A_service_that_would_delay_transactions_is_not_ready(string check, string reason)
    {
        using var service = new ServiceUnderTest(settings: AdminOn)
        {
            Bounds = bounds =>
            {
                bounds.MinFreeBytes = reason == "the disk is almost full" ? long.MaxValue / 2 : 0;
                bounds.MinFreeInodes = reason == "the disk has almost no free inodes" ? long.MaxValue : 0;
                bounds.MaxBacklogBytes = reason == "the backlog is too large" ? -1 : 1 << 30;
                bounds.MaxOldestAge = TimeSpan.FromSeconds(reason.Contains("waited", StringComparison.Ordinal) ? -1 : 60);
            },
        };

        Assert.Equal(reason, Reason(await WaitForAsync(service, "unhealthy"), check));
    }

    [Fact]
    public async Task A_service_on_a_disk_that_became_read_only_is_not_ready_also_while_no_transaction_arrives()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "100m");
        using var service = new ServiceUnderTest(folder: folder, settings: AdminOn);
        await WaitForAsync(service, "healthy");

        await disk.SetReadOnlyAsync(true);
        Assert.Contains("Read-only file system", Reason(await WaitForAsync(service, "unhealthy"), "journal"), StringComparison.Ordinal);

        await disk.SetReadOnlyAsync(false);
        await WaitForAsync(service, "healthy");
        Assert.Empty(Directory.GetFiles(service.Logs, ".health", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_service_that_cannot_append_to_its_journal_is_not_ready()
    {
        using var service = new ServiceUnderTest(settings: AdminOn);
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(_room))).Status);
        var journal = Path.Combine(service.Logs, ".journal");
        Directory.Move(journal, journal + ".away");
        await File.WriteAllTextAsync(journal, "not a folder", TestContext.Current.CancellationToken);
        Assert.InRange((await service.PushAsync("2", Some.Message(_room))).Status, 500, 599);

        Assert.Contains(journal, Reason(await WaitForAsync(service, "unhealthy"), "journal"), StringComparison.Ordinal);
        File.Delete(journal);
        Directory.Move(journal + ".away", journal);
        await service.PushUntilAcceptedAsync("2", Some.Message(_room));
        await WaitForAsync(service, "healthy");
    }

    [Theory]
    [InlineData(401, """{"errcode":"M_UNKNOWN_TOKEN","error":"Unknown token"}""", "401 M_UNKNOWN_TOKEN Unknown token")]
    [InlineData(502, "<html>", "502 (the response is not JSON)")]
    public async Task A_homeserver_that_does_not_answer_leaves_the_service_ready_but_degraded(int status, string body, string reason)
    {
        using var service = new ServiceUnderTest(
            settings: AdminOn, homeserver: new StubHomeserver().WithoutAliases().On(WhoAmI, status, body));

        await WaitForAsync(service, "degraded");
        await Wait.UntilAsync(() => Reason(GetAsync(service).Result.Health, "homeserver") == reason, reason);
        Assert.Equal(200, (await GetAsync(service)).Status);
        service.Homeserver.On(WhoAmI, """{"user_id":"@logging:localhost"}""");
        await WaitForAsync(service, "healthy");
    }

    [Fact]
    public async Task A_homeserver_that_is_lost_is_noticed_also_while_the_service_has_no_reason_to_call_it()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new ServiceUnderTest(time, settings: AdminOn);
        await WaitForAsync(service, "healthy");
        service.Homeserver.On(WhoAmI, 503, """{"errcode":"M_UNKNOWN","error":"starting"}""");

        await Wait.UntilAsync(
            () => Reason(GetAsync(service).Result.Health, "homeserver") == "503 M_UNKNOWN starting",
            "a call fails", meanwhile: () => time.Advance(TimeSpan.FromSeconds(5)));
        service.Homeserver.On(WhoAmI, """{"user_id":"@logging:localhost"}""");
        await Wait.UntilAsync(
            () => Reason(GetAsync(service).Result.Health, "homeserver") is null,
            "a call succeeds", meanwhile: () => time.Advance(TimeSpan.FromSeconds(5)));
    }

    // A call that the homeserver refuses is an answer.
    [Fact]
    public async Task A_homeserver_that_refuses_a_call_is_still_in_contact()
    {
        using var service = new ServiceUnderTest(settings: AdminOn);
        await WaitForAsync(service, "healthy");
        var calls = service.Homeserver.Calls.Count;
        Assert.Equal(200, (await service.PushAsync("1", Some.CanonicalAlias(_room, "#logged_x:localhost"))).Status);
        await Wait.UntilAsync(() => service.Homeserver.Calls.Count > calls, "the alias is looked up");

        await WaitForAsync(service, "healthy");
    }

    [Fact]
    public async Task The_ports_of_the_homeserver_and_of_the_admin_know_nothing_of_each_other()
    {
        using var service = new ServiceUnderTest(settings: AdminOn);
        foreach (var path in (string[])["/health/live", "/health/ready", "/metrics"])
        {
            var (status, body) = await service.SendAsync(HttpMethod.Get, path);
            Assert.Equal(404, status);
            Assert.Contains("M_UNRECOGNIZED", body, StringComparison.Ordinal);
            Assert.Equal(404, (await service.SendAsync(HttpMethod.Get, path, authorization: "Bearer wrong")).Status);
        }

        using var transaction = new HttpRequestMessage(HttpMethod.Put, $"{AdminOf(service)}/_matrix/app/v1/transactions/1");
        transaction.Content = new StringContent($$"""{"events":[{{Some.Message(_room)}}]}""");
        transaction.Headers.Authorization = service.Client.DefaultRequestHeaders.Authorization;
        using var response = await _http.SendAsync(transaction, TestContext.Current.CancellationToken);
        Assert.Equal(404, (int)response.StatusCode);
        await service.CaughtUpAsync();
        Assert.False(Directory.Exists(Path.Combine(service.Logs, _room)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("off")]
    public async Task Nothing_of_it_is_started_unless_it_is_configured(string? setting)
    {
        using var service = new ServiceUnderTest(settings: setting is null ? [] : new() { ["LoggingService:Admin"] = setting });
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(_room))).Status);

        Assert.Null(service.Services.GetService<AdminListener>());
        Assert.Null(service.Services.GetService<MetricsExport>());
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", true)]
    [InlineData("http://*:0", true)]
    [InlineData("http://127.0.0.1:0", false)]
    [InlineData("http://[::1]:0", false)]
    public async Task An_address_that_other_machines_reach_is_a_warning(string url, bool isWarning)
    {
        using var service = new ServiceUnderTest(settings: new() { ["LoggingService:Admin"] = url });
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(_room))).Status);

        Assert.Equal(isWarning ? 1 : 0, service.WarningsAndErrors.Count(line => line.Contains("which requires no token")));
    }

    private static string AdminOf(ServiceUnderTest service)
    {
        _ = service.Client;
        return service.Services.GetRequiredService<AdminListener>().Url!;
    }

    private static double Figure(JsonElement health, string check, string name) =>
        health.GetProperty("checks").GetProperty(check).GetProperty(name).GetDouble();

    private static string? Reason(JsonElement health, string check) =>
        health.GetProperty("checks").GetProperty(check).TryGetProperty("reason", out var reason) ? reason.GetString() : null;

    private async Task<(int Status, string? Health)> GetStatusAsync(ServiceUnderTest service, string check)
    {
        var (status, health) = await GetAsync(service, check);
        return (status, health.GetProperty("status").GetString());
    }

    private async Task<(int Status, JsonElement Health)> GetAsync(ServiceUnderTest service, string check = "ready")
    {
        using var response = await _http.GetAsync($"{AdminOf(service)}/health/{check}", TestContext.Current.CancellationToken);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, JsonElement.Parse(text));
    }

    /// <summary>Waits for a status of the whole, which decides that of the response.</summary>
    private async Task<JsonElement> WaitForAsync(ServiceUnderTest service, string expected)
    {
        var end = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            var (status, health) = await GetAsync(service);
            if (health.GetProperty("status").GetString() == expected)
            {
                Assert.Equal(expected == "unhealthy" ? 503 : 200, status);
                return health;
            }

            Assert.True(DateTime.UtcNow < end, $"not {expected}: {health.GetRawText()}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
