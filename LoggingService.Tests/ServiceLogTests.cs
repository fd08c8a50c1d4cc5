using System.Net.Http.Headers;
using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The service's own log: levels and formats follow the settings, and no event can forge a line.</summary>
public class ServiceLogTests
{
    // The file that versions before Native AOT shipped.
    private const string FormerSettings =
        """
        {
          "LoggingService": {},
          "Serilog": {
            "Using": [ "Serilog.Sinks.Async", "Serilog.Sinks.Console", "Serilog.Sinks.File", "Serilog.Expressions" ],
            "MinimumLevel": {
              "Default": "Information"
            }
          }
        }
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_alias_with_line_breaks_and_escape_sequences_forges_no_line_of_the_services_own_log()
    {
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        await File.WriteAllTextAsync(
            folder["registration.yaml"], ServiceUnderTest.RegistrationText($"http://127.0.0.1:{port}"), Cancellation);
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", $"http://127.0.0.1:{FreePort.Next()}");
        await service.WaitForLineAsync("Listening on");

        using var homeserver = new HttpClient();
        homeserver.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        using var response = await homeserver.GetAsync(
            new Uri($"http://127.0.0.1:{port}/_matrix/app/v1/rooms/%23logged_%0A00:00:00%20ERR%20forged%1B[2J%E2%80%AE:localhost"),
            Cancellation);

        var line = await service.WaitForLineAsync("Refused #logged_.*");
        Assert.Contains(@"#logged_␊00:00:00 ERR forged␛[2J\u{202E}:localhost", line.Value, StringComparison.Ordinal);
        Assert.DoesNotContain(
            service.Output, output => output.StartsWith("00:00:00 ERR forged", StringComparison.Ordinal) || output.Contains('\e'));
    }

    [Fact]
    public async Task A_level_can_be_set_for_one_category()
    {
        using var folder = TempFolder.ForCaller();
        await using var service = Start(folder, "--Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host", "Debug");

        await service.WaitForLineAsync("^[0-9:]{8} DBG Hosting started$");
        Assert.Equal(0, await service.StopAsync());
        Assert.All(service.Output.Where(line => line.Contains(" DBG ", StringComparison.Ordinal)),
            line => Assert.Matches(" DBG Hosting (start|stop)", line));
    }

    [Fact]
    public async Task A_default_level_applies_to_the_services_categories()
    {
        using var folder = TempFolder.ForCaller();
        await using var service = Start(folder, "--Logging:LogLevel:Default=Warning");

        await service.WaitForLineAsync(" WRN ");
        Assert.Equal(0, await service.StopAsync());
        Assert.DoesNotContain(service.Output, line => line.Contains(" INF ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task A_daily_file_has_the_lines_of_the_console_and_the_room_activity_if_enabled(string format)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await File.WriteAllTextAsync(
            folder["appsettings.json"],
            $$$"""{"ServiceLog": {"File": "{{{folder["own", "service.log"]}}}", "Format": "{{{format}}}", "RoomActivity": "on"}}""",
            Cancellation);
        await using (var service =
            await RunningService.StartAsync(folder, homeserver, "env", $"{MachineSettings.Variable}={folder["appsettings.json"]}"))
        {
            Assert.Equal(200, await service.PushAsync(Some.Message("!room:localhost", "hello")));
            await service.Process.WaitForLineAsync("hello");
            Assert.Equal(0, await service.Process.StopAsync());
        }

        var file = Assert.Single(Directory.GetFiles(folder["own"]));
        Assert.Matches(@"/service20\d{6}\.log$", file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(file));
        var lines = await File.ReadAllLinesAsync(file, Cancellation);
        var line = Assert.Single(lines, line => line.Contains("hello", StringComparison.Ordinal));
        if (format == "text")
        {
            Assert.Matches(@"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d INF !room:localhost <@[^>]+> hello$", line);
            Assert.Matches(@"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d INF Service stopped$", lines[^1]);
            return;
        }

        var properties = JsonElement.Parse(line);
        Assert.All(["Room", "Alias", "Sender", "EventType", "EventId", "Line"],
            name => Assert.Equal(JsonValueKind.String, properties.GetProperty(name).ValueKind));
        Assert.All(lines, line => Assert.Equal(JsonValueKind.String, JsonElement.Parse(line).GetProperty("@t").ValueKind));
    }

    [Fact]
    public async Task The_settings_that_earlier_versions_shipped_still_work_with_one_warning()
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["appsettings.json"], FormerSettings, Cancellation);
        await using var service =
            Start(folder, new Dictionary<string, string?> { [MachineSettings.Variable] = folder["appsettings.json"] });

        await AssertOneWarningAsync(service);
    }

    [Theory]
    [InlineData("--Serilog:MinimumLevel:Default", "Loud")]
    [InlineData("--Serilog:MinimumLevel=Debug", "--Serilog:WriteTo:0:Name=File", "--Serilog:WriteTo:0:Args:path=x.log")]
    public async Task Settings_of_Serilog_are_ignored_with_one_warning(params string[] settings)
    {
        using var folder = TempFolder.ForCaller();
        await using var service = Start(folder, settings);

        await AssertOneWarningAsync(service);
        Assert.False(File.Exists(folder["x.log"]));
    }

    private static ServiceProcess Start(TempFolder folder, params string[] arguments) =>
        Start(folder, new Dictionary<string, string?>(), arguments);

    private static ServiceProcess Start(TempFolder folder, Dictionary<string, string?> environment, params string[] arguments) =>
        ServiceProcess.Start(
            folder.Path, environment, ["--urls", "http://127.0.0.1:0", "--homeserver", "http://127.0.0.1:9", .. arguments]);

    [Fact]
    public async Task A_log_file_in_a_folder_that_is_not_writable_is_one_line_at_the_start()
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["taken"], "", Cancellation);
        await using var service = Start(folder, "--ServiceLog:File", folder["taken", "service.log"]);

        await service.AssertOneLineAsync(78, $"--ServiceLog:File: {folder["taken"]} is not writable: ");
    }

    private static async Task AssertOneWarningAsync(ServiceProcess service)
    {
        await service.WaitForLineAsync("Writing logs to ");
        Assert.Equal(0, await service.StopAsync());
        var warning = Assert.Single(service.Output, line => line.Contains(" WRN The section Serilog ", StringComparison.Ordinal));
        Assert.Contains("is ignored, with its sinks. Remove it: Logging:LogLevel sets levels", warning, StringComparison.Ordinal);
        Assert.Empty(service.StandardError);
    }
}
