using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>The Debian package in a booted Debian, where systemd starts the service.</summary>
[Collection(nameof(Release))]
public sealed class BootedDebianTests(Release release) : IDisposable
{
    private const string Unit = "logging-service";
    private const string Room = "!a:localhost";
    private const string Logs = "/var/lib/logging-service/logs";
    private readonly TempFolder _folder = TempFolder.ForCaller();

    private RootFolder Debian => new(_folder["debian"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Systemd_starts_reloads_and_restarts_the_service_but_not_after_an_error_in_its_settings()
    {
        await Release.EnsureToolsAsync(needsProgram: true);
        await Release.RunAsync("deb/test-folder", "--systemd", _folder["debian"]);
        File.Copy(await release.GetAsync(".deb"), Debian["/root/package.deb"]);
        await using var machine = await BootedDebian.BootAsync(_folder["debian"]);

        await machine.RunAsync("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--install", "/root/package.deb");
        Assert.Equal("active", await machine.RunAsync("systemctl", "is-active", Unit));
        await machine.WaitForJournalAsync(Unit, "Listening on http://localhost:5000");
        var (exitCode, status) = await machine.TryRunAsync("LoggingService", "status");
        Assert.True(exitCode == 1 && status.Contains("degraded   homeserver", StringComparison.Ordinal), $"{exitCode}: {status}");

        var process = await ShowAsync(machine, "MainPID");
        await SetAsync("""{ "LoggingService": { "RetainDays": 30 } }""");
        await machine.RunAsync("systemctl", "reload", Unit);
        await machine.WaitForJournalAsync(Unit, "Keeping 30 days");
        Assert.Equal(process, await ShowAsync(machine, "MainPID"));
        Assert.DoesNotContain("need a restart", await machine.RunAsync("journalctl", "--unit", Unit), StringComparison.Ordinal);

        var id = Some.EventId();
        Assert.Equal("200", await PushAsync(machine, Some.Message(Room, eventId: id)));
        await machine.RunAsync("systemctl", "kill", "--signal=KILL", Unit);
        await machine.WaitAsync("the restart", async () =>
            await ShowAsync(machine, "ActiveState") == "active" && await ShowAsync(machine, "MainPID") != process);
        Assert.Equal("1", await ShowAsync(machine, "NRestarts"));
        await machine.WaitAsync("the event", () => Task.FromResult(LogFolder.HasLogged(Debian[Logs], Room, [id])));
        Assert.Equal([id], LogFolder.EventIds(Debian[Logs], Room));

        await SetAsync("""{ "LoggingService": { "RetainDay": 30 } }""");
        Assert.NotEqual(0, (await machine.TryRunAsync("systemctl", "restart", Unit)).ExitCode);
        Assert.Equal("78", await ShowAsync(machine, "ExecMainStatus"));
        Assert.Equal("failed", await ShowAsync(machine, "ActiveState"));
        await machine.WaitForJournalAsync(Unit, "RetainDay is not a setting. Did you mean RetainDays?");

        await machine.RunAsync("dpkg", "--purge", Unit);
        Assert.Equal("not-found", await ShowAsync(machine, "LoadState"));
    }

    private static Task<string> ShowAsync(BootedDebian machine, string property) =>
        machine.RunAsync("systemctl", "show", "--value", "--property", property, Unit);

    private Task SetAsync(string settings) => File.WriteAllTextAsync(
        Debian["/etc/logging-service/appsettings.json"], settings, TestContext.Current.CancellationToken);

    private Task<string> PushAsync(BootedDebian machine, string message) => machine.RunInNetworkAsync(
        "curl", "--silent", "--show-error", "--noproxy", "*", "--output", "/dev/null", "--write-out", "%{http_code}",
        "--request", "PUT", "--header", $"Authorization: Bearer {Debian.TokenOf("/etc/logging-service/registration.yaml")}",
        "--data", $"{{\"events\":[{message}]}}", "http://localhost:5000/_matrix/app/v1/transactions/1");
}
