using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command check reports the connection to the homeserver, for people and scripts.</summary>
public class CheckCommandTests
{
    private const string Another = "the homeserver reaches another service, not this one. Compare the url and the hs_token in ";
    private const string NoAliases = "the homeserver does not ask this service for aliases of #logged_.*. Copy the file to the homeserver ";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Success_is_a_line_for_each_check_and_exit_code_0(bool isServiceRunning)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = isServiceRunning ? await RunningService.StartAsync(folder, homeserver) : null;
        var (exitCode, lines) = await CheckAsync(folder, homeserver);

        Assert.True(exitCode == 0, string.Join('\n', lines));
        Assert.Equal(
            [
                $"ok       homeserver {homeserver.Address}: responds",
                $"ok       registration {folder["registration.yaml"]}: loaded, the homeserver knows this service as @logging:localhost",
                "ok       reachability http://127.0.0.1:5000: the homeserver reaches this service",
                "ok       aliases #logged_.*: the homeserver asks this service for them",
            ],
            lines);
        Assert.DoesNotContain(homeserver.Calls, call => call.StartsWith("POST /_matrix/client/v3/createRoom", StringComparison.Ordinal));
        Assert.False(File.Exists(folder["logs", ".check"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_ping_that_reaches_another_service_is_a_failure(bool isServiceRunning)
    {
        using var folder = TempFolder.ForCaller();
        using var otherFolder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = isServiceRunning ? await RunningService.StartAsync(folder, homeserver) : null;
        await using var other = await RunningService.StartAsync(otherFolder, homeserver);
        var (exitCode, lines) = await CheckAsync(folder, homeserver, service: other.Url);

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"failed   reachability http://127.0.0.1:5000: {Another}", lines[2], StringComparison.Ordinal);
        Assert.Equal("unknown  aliases #logged_.*: not checked, because an earlier check failed", lines[3]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_copy_with_other_aliases_is_a_failure(bool isServiceRunning)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { AliasPrefix = "#irc_" };
        await using var service = isServiceRunning ? await RunningService.StartAsync(folder, homeserver) : null;
        var (exitCode, lines) = await CheckAsync(folder, homeserver);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("ok       reachability ", lines[2], StringComparison.Ordinal);
        Assert.StartsWith($"failed   aliases #logged_.*: {NoAliases}", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Aliases_that_no_literal_begins_are_not_checked()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(
            folder, homeserver, ServiceUnderTest.RegistrationText(aliases: "#(logged|irc)_.*"));

        Assert.Equal(0, exitCode);
        Assert.Equal(
            "unknown  aliases #(logged|irc)_.*: not checked, because #(logged|irc)_.* is not a text that is followed by .*", lines[3]);
    }

    [Fact]
    public async Task Behind_an_https_url_without_a_running_service_it_is_not_checked_that_the_ping_arrives()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) =
            await CheckAsync(folder, homeserver, ServiceUnderTest.RegistrationText("https://logs.example.org/matrix"), urls: null);

        Assert.Equal(0, exitCode);
        var reason = $"because no service writes to {folder["logs"]}, and check can't serve an https url in its place";
        Assert.Equal(
            "unknown  reachability https://logs.example.org/matrix: the homeserver reaches a service; not checked that it is this one, "
            + reason,
            lines[2]);
        Assert.Equal($"unknown  aliases #logged_.*: not checked, {reason}", lines[3]);
    }

    [Fact]
    public async Task Beside_another_program_at_the_url_it_is_not_checked_that_the_ping_arrives()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(folder, homeserver, service: "", urls: homeserver.Address);

        Assert.Equal(0, exitCode);
        var reason = $"Cannot listen on {homeserver.Address} (--urls): another program listens there already";
        Assert.Contains(reason, lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_check_listens_it_acknowledges_nothing()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver { PushesAtPing = true };
        var (exitCode, _) = await CheckAsync(folder, homeserver);

        Assert.Equal(0, exitCode);
        Assert.Equal([503, 503, 403], homeserver.PushStatuses);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_and_gets_no_token()
    {
        using var folder = TempFolder.ForCaller();
        using var target = new FakeHomeserver();
        using var homeserver = new FakeHomeserver { RedirectsTo = target.Address };
        var (exitCode, lines) = await CheckAsync(folder, homeserver);

        Assert.Equal(1, exitCode);
        Assert.Equal(
            $"failed   homeserver {homeserver.Address}: redirects to {target.Address}. Set --homeserver {target.Address}.", lines[0]);
        Assert.Empty(target.Calls);
        Assert.Equal(["GET /_matrix/client/versions"], homeserver.Calls);
    }

    [Fact]
    public async Task Https_towards_a_plain_http_port_is_named()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var https = homeserver.Address.Replace("http:", "https:", StringComparison.Ordinal);
        var (exitCode, lines) = await CheckAsync(folder, homeserver, address: https);

        Assert.Equal(1, exitCode);
        Assert.Equal($"failed   homeserver {https}: speaks http, not https. Set --homeserver {homeserver.Address}.", lines[0]);
        Assert.All(homeserver.Calls, call => Assert.Equal("GET /_matrix/client/versions", call));
    }

    [Fact]
    public async Task A_homeserver_on_the_loopback_address_is_called_without_a_proxy()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(folder, homeserver, environment: new() { ["http_proxy"] = "http://127.0.0.1:9" });
        Assert.True(exitCode == 0, string.Join('\n', lines));
    }

    [Fact]
    public async Task A_failure_is_exit_code_1_with_advice_and_the_pending_checks()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(folder, homeserver, address: "http://127.0.0.1:9");

        Assert.Equal(1, exitCode);
        Assert.Equal(
            [
                "failed   homeserver http://127.0.0.1:9: cannot connect (Connection refused). "
                + "Start the homeserver, or set its address with --homeserver URL.",
                $"unknown  registration {folder["registration.yaml"]}: not checked, because an earlier check failed",
                "unknown  reachability http://127.0.0.1:5000: not checked, because an earlier check failed",
                "unknown  aliases #logged_.*: not checked, because an earlier check failed",
            ],
            lines);
    }

    [Fact]
    public async Task A_missing_registration_is_an_error_and_is_not_created()
    {
        using var folder = TempFolder.ForCaller();
        await ServiceProcess.AssertOneLineAsync(78, folder, "registration.yaml: no such file", "check");
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task The_folder_of_the_services_own_log_is_checked_and_not_created()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(
            folder, homeserver, environment: new() { ["ServiceLog__File"] = folder["new", "folder", "service.log"] });
        Assert.True(exitCode == 0, string.Join('\n', lines));

        await File.WriteAllTextAsync(folder["taken"], "", Cancellation);
        await ServiceProcess.AssertOneLineAsync(
            78, folder, $"--ServiceLog:File: {folder["taken", "folder"]} is not writable: ", "check",
            $"--ServiceLog:File={folder["taken", "folder", "service.log"]}");
    }

    /// <summary>Checks with the settings of the running service, or of one that would listen on a free port. Leaves nothing.</summary>
    /// <param name="service">Whom the homeserver calls, if not the service; empty: another one that takes every ping.</param>
    private static async Task<(int ExitCode, IReadOnlyList<string> Lines)> CheckAsync(
        TempFolder folder, FakeHomeserver homeserver, string? registration = null, string? address = null, string? service = null,
        string? urls = "http://127.0.0.1:", Dictionary<string, string?>? environment = null)
    {
        await File.WriteAllTextAsync(folder["registration.yaml"], registration ?? ServiceUnderTest.RegistrationText(), Cancellation);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var entries = Entries(folder);
        while (true)
        {
            var listens = urls == "http://127.0.0.1:" ? $"{urls}{FreePort.Next()}" : urls;
            homeserver.Service = service is null && !Directory.Exists(folder["logs"]) ? listens : service ?? homeserver.Service;
            homeserver.Service = homeserver.Service is { Length: > 0 } ? homeserver.Service : null;
            string[] options = listens is null ? [] : ["--urls", listens];
            await using var check =
                ServiceProcess.Start(folder.Path, environment ?? [], ["check", "--homeserver", address ?? homeserver.Address, .. options]);
            var exitCode = await check.WaitForExitAsync();

            // The port may have been taken meanwhile.
            var isTaken = check.Output.Any(line => line.Contains("another program listens there already", StringComparison.Ordinal));
            if (isTaken && urls == "http://127.0.0.1:")
            {
                continue;
            }

            Assert.Equal(entries, Entries(folder));
            return (exitCode, check.Output);
        }
    }

    /// <summary>The files of the folder, without that which a running service writes seconds after its start.</summary>
    private static List<string> Entries(TempFolder folder) =>
    [
        .. Directory.GetFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/.history", StringComparison.Ordinal))
            .Order(),
    ];
}
