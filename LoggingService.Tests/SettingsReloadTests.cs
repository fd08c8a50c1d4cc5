using LoggingService.Files;
using LoggingService.Options;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>SIGHUP without a terminal reloads the settings, as an admin sees it in the service's own log.</summary>
public sealed class SettingsReloadTests : IDisposable
{
    private const string Failed = "ERR Failed to reload the settings; the previous ones stay: ";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Settings => _folder["appsettings.json"];

    private string Registration => _folder["registration.yaml"];

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_new_retention_removes_old_days_at_once()
    {
        var room = Directory.CreateDirectory(_folder["logs", "!room:localhost"]).FullName;
        var (old, older) = (Record(room, daysAgo: 10), Record(room, daysAgo: 20));
        await using var service = await StartAsync("""{"LoggingService": {"RetainDays": 30}}""");

        await ReloadAsync(
            service, """{"LoggingService": {"RetainDays": 15}}""", "INF Reloaded the settings: {file}: LoggingService:RetainDays");
        await service.Process.WaitForLineAsync("INF Keeping 15 days, ");
        await Wait.UntilAsync(() => !File.Exists(older), "the older day is removed");
        Assert.True(File.Exists(old));

        // On the same day again.
        await ReloadAsync(service, """{"LoggingService": {"RetainDays": 5}}""", "INF Keeping 5 days, ");
        await Wait.UntilAsync(() => !File.Exists(old), "the old day is removed");
    }

    [Fact]
    public async Task Old_days_are_compressed_when_the_setting_is_added()
    {
        var room = Directory.CreateDirectory(_folder["logs", "!room:localhost"]).FullName;
        var (old, older) = (Record(room, daysAgo: 10), Record(room, daysAgo: 20));
        File.WriteAllText(Path.ChangeExtension(older, ".log"), "a line\n");
        await using var service = await StartAsync("{}");

        await ReloadAsync(
            service, """{"LoggingService": {"CompressAfterDays": 1}}""",
            "INF Reloaded the settings: {file}: LoggingService:CompressAfterDays");

        await Wait.UntilAsync(() => File.Exists($"{older}.gz"), "the older day is compressed");
        Assert.True(File.Exists(old));
    }

    [Fact]
    public async Task A_new_limit_of_created_rooms_is_in_effect()
    {
        await using var service = await StartAsync("""{"LoggingService": {"RoomsPerHour": 0}}""");
        Assert.Equal(404, await QueryAliasAsync(service, "#logged_refused:localhost"));

        await ReloadAsync(service, "{}", "INF Reloaded the settings: {file}: LoggingService:RoomsPerHour");

        // The homeserver of the test creates no room.
        Assert.Equal(502, await QueryAliasAsync(service, "#logged_wanted:localhost"));
        Assert.Contains(_homeserver.Calls, call => call.StartsWith("POST /_matrix/client/v3/createRoom", StringComparison.Ordinal));
    }

    [Fact]
    public async Task New_moderators_get_their_power_level_in_the_next_room()
    {
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().CreatingRooms());
        _ = service.Client;
        var read = LoggingServiceOptions.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["LoggingService:Moderators:0"] = "@carol:localhost" }).Build());

        service.Services.GetRequiredService<LoggingServiceOptions>().Reload(read);

        Assert.Equal(200, (await service.SendAsync(HttpMethod.Get, "/_matrix/app/v1/rooms/%23logged_new%3Alocalhost")).Status);
        var creation = Assert.Single(service.Homeserver.Calls, call => call.Line.EndsWith("/createRoom", StringComparison.Ordinal));
        Assert.Contains("\"@carol:localhost\":50", creation.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Levels_change_and_return_to_their_defaults()
    {
        await using var service = await StartAsync("{}");

        await ReloadAsync(
            service,
            """{"Logging": {"LogLevel": {"Default": "Warning"}}, "LoggingService": {"MaxBodyBytes": "1MiB"}}""",
            "WRN Changes that need a restart of the service: {file}: LoggingService:MaxBodyBytes");
        Assert.DoesNotContain(service.Process.Output, line => line.Contains("Reloaded the settings", StringComparison.Ordinal));

        await ReloadAsync(service, "{}", "INF Reloaded the settings: {file}: Logging:LogLevel:Default");
    }

    [Fact]
    public async Task Each_setting_that_needs_a_restart_is_named_until_it_is_undone()
    {
        await using var service = await StartAsync("{}");
        var changed = """{"LoggingService": {"Logs": "/other", "MaxBodyBytes": "1MiB"}, "ServiceLog": {"Format": "json"}}"""
            .Replace("/other", _folder["other"], StringComparison.Ordinal);
        const string Expected = "WRN Changes that need a restart of the service: "
            + "{file}: LoggingService:Logs, {file}: LoggingService:MaxBodyBytes, {file}: ServiceLog:Format";

        await ReloadAsync(service, changed, Expected);
        await ReloadAsync(service, changed, Expected, times: 2);

        Assert.False(Directory.Exists(_folder["other"]));
        File.WriteAllText(Registration, ServiceUnderTest.RegistrationText(aliases: "#other_.*"));
        await ReloadAsync(service, "{}", $"WRN Changes that need a restart of the service: {Registration}: namespaces");
        Assert.Equal(200, await service.PushAsync(Some.Message("!room:localhost")));
    }

    [Fact]
    public async Task A_service_that_listens_at_the_registrations_address_needs_no_restart()
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        File.WriteAllText(Registration, ServiceUnderTest.RegistrationText(url));
        File.WriteAllText(Settings, "{}");
        var environment = new Dictionary<string, string?> { [MachineSettings.Variable] = Settings };
        await using var service = ServiceProcess.Start(_folder.Path, environment, "--homeserver", _homeserver.Address);
        await service.WaitForLineAsync($"Listening on {url}");

        service.Send(Signals.Hangup);
        await service.WaitForLineAsync("Reloaded the settings: no change");
        Assert.Equal(0, await service.StopAsync());
        Assert.DoesNotContain(service.Output, line => line.Contains("need a restart", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"LoggingService": {"RetainDays": 5""", "Failed to read the settings: ")]
    [InlineData("""{"LoggingService": {"RetainDays": "x", "RoomsPerHour": 7}}""", "{file}: LoggingService:RetainDays is \"x\"; expected ")]
    [InlineData("""{"LoggingService": {"RetainDay": 5, "RoomsPerHour": 7}}""", "{file}: LoggingService:RetainDay is not a setting. ")]
    [InlineData("""{"Logging": {"LogLevel": {"Default": "Loud"}}, "LoggingService": {"RoomsPerHour": 7}}""",
        "{file}: Logging:LogLevel:Default is \"Loud\"; expected ")]
    public async Task After_an_error_the_previous_settings_stay(string broken, string reason)
    {
        await using var service = await StartAsync("""{"LoggingService": {"RetainDays": 30, "RoomsPerHour": 9}}""");

        await ReloadAsync(service, broken, Failed + reason);
        Assert.Equal(200, await service.PushAsync(Some.Message("!room:localhost")));

        // What is logged is what is in effect.
        await ReloadAsync(service, """{"LoggingService": {"RetainDays": 30, "RoomsPerHour": 9}}""", "INF Reloaded the settings: no change");
        await Wait.UntilAsync(
            () => service.Process.Output.Count(line => line.Contains("Keeping 30 days, creating up to 9 rooms an hour")) == 2,
            "the settings in effect");
    }

    [Fact]
    public async Task A_broken_registration_changes_nothing()
    {
        await using var service = await StartAsync("""{"LoggingService": {"RetainDays": 30}}""");
        File.WriteAllText(Registration, "id: [");

        await ReloadAsync(service, """{"LoggingService": {"RetainDays": 5}}""", $"{Failed}{Registration}:");

        Assert.Equal(200, await service.PushAsync(Some.Message("!room:localhost")));
        Assert.DoesNotContain(service.Process.Output, line => line.Contains("Keeping 5 days", StringComparison.Ordinal));
    }

    private static string Record(string room, int daysAgo)
    {
        var day = DateOnly.FromDateTime(DateTime.Now).AddDays(-daysAgo);
        var path = Path.Combine(room, DayFileName.Record(day).ToString());
        File.WriteAllText(path, Some.Message("!room:localhost") + "\n");
        return path;
    }

    private static async Task<int> QueryAliasAsync(RunningService service, string alias)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", ServiceUnderTest.HsToken);
        using var response = await http.GetAsync($"{service.Url}/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}", Cancellation);
        return (int)response.StatusCode;
    }

    private async Task<RunningService> StartAsync(string settings)
    {
        File.WriteAllText(Settings, settings);
        return await RunningService.StartAsync(_folder, _homeserver, "env", $"{MachineSettings.Variable}={Settings}");
    }

    /// <summary>Sends SIGHUP, and waits for a line that contains a text for the given time.</summary>
    private async Task ReloadAsync(RunningService service, string settings, string expected, int times = 1)
    {
        var text = expected.Replace("{file}", Settings, StringComparison.Ordinal);
        File.WriteAllText(Settings, settings);
        service.Process.Send(Signals.Hangup);
        await Wait.UntilAsync(
            () => service.Process.Output.Count(line => line.Contains(text, StringComparison.Ordinal)) >= times,
            $"{text} in {string.Join('\n', service.Process.Output)}");
    }
}
