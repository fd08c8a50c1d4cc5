using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>The Debian package in a small Debian without systemd: the service is started as the unit starts it.</summary>
[Collection(nameof(Release))]
public sealed class DebianPackageTests(Release release) : IDisposable
{
    private const string User = "logging-service:logging-service";
    private const string Program = "/usr/lib/logging-service/LoggingService";
    private const string Registration = "/etc/logging-service/registration.yaml";
    private const string OldRegistration = "/var/lib/logging-service/registration.yaml";
    private const string Settings = "/etc/logging-service/appsettings.json";
    private const string Logs = "/var/lib/logging-service/logs";
    private const string Room = "!a:localhost";

    // What docs/install.md told to install before there was a package.
    private const string UnitByHand = """
        [Service]
        User=logging-service
        StateDirectory=logging-service
        WorkingDirectory=/var/lib/logging-service
        ExecStart=/opt/logging-service/LoggingService

        [Install]
        WantedBy=multi-user.target
        """;

    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();
    private readonly List<string> _eventIds = [];

    private RootFolder Debian => new(_folder["debian"]);

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Lintian_finds_no_error() =>
        await ProcessOutput.GetAsync("lintian", "--allow-root", "--fail-on", "error", await release.GetAsync(".deb"));

    [Fact]
    public async Task An_installed_service_logs_as_a_user_of_its_own_with_new_tokens()
    {
        await InstallDebianAsync();
        var output = await InstallAsync(await release.GetAsync(".deb"));

        Assert.Contains($"Created {Registration} with new tokens. The homeserver needs a copy:", output, StringComparison.Ordinal);
        Assert.Equal("root:logging-service 640", await StatAsync(Registration));
        Assert.Equal("logging-service:logging-service 750", await StatAsync("/var/lib/logging-service"));
        Assert.Equal("logging-service:logging-service 750", await StatAsync("/var/log/logging-service"));
        Assert.Equal("/usr/sbin/nologin", (await Debian.RunAsync("getent", "passwd", "logging-service")).Trim().Split(':')[^1]);
        Assert.Equal("/lib/systemd/system/logging-service.service", await WantedUnitAsync());
        Assert.Contains($"ExecStart={Program}", await ReadAsync("/lib/systemd/system/logging-service.service"), StringComparison.Ordinal);
        Assert.Contains(
            $"ExecStart={Program} pages", await ReadAsync("/lib/systemd/system/logging-service-pages.service"), StringComparison.Ordinal);
        Assert.False(Path.Exists(Debian["/etc/systemd/system/multi-user.target.wants/logging-service-pages.service"]));
        await RunServiceAsync(service => service.PushAsync(NewMessage()));

        // Any user may run the other commands.
        await using var help = Debian.Start("nobody:nogroup", "LoggingService", "render", "--help");
        Assert.Equal(0, await help.WaitForExitAsync());
    }

    [Fact]
    public async Task An_upgrade_loses_nothing_of_a_killed_service_and_keeps_its_tokens_and_settings()
    {
        await InstallDebianAsync();
        await InstallAsync(await OlderPackageAsync());
        await WriteAsync(Settings, """{ "LoggingService": { "RetainDays": 90 } }""");
        var token = Debian.TokenOf(Registration);
        await RunServiceAsync(service => service.PushAsync(NewMessage()), isKilled: true);

        var output = await InstallAsync(await release.GetAsync(".deb"));

        Assert.DoesNotContain("Created", output, StringComparison.Ordinal);
        Assert.Equal(token, Debian.TokenOf(Registration));
        await RunServiceAsync(async service =>
        {
            await service.Process.WaitForLineAsync("Journal replay after an unclean shutdown: repairing the logs of 1 rooms");
            await service.Process.WaitForLineAsync("Keeping 90 days");
            return await service.PushAsync(NewMessage());
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_installation_by_hand_is_taken_over_with_its_logs_tokens_and_settings(bool hasSettings)
    {
        await InstallByHandAsync();
        if (hasSettings)
        {
            Directory.CreateDirectory(Debian["/etc/logging-service"]);
            await WriteAsync(Settings, """{ "LoggingService": { "RetainDays": 90 } }""");
        }

        string[] byHand = ["env", "-C", "/var/lib/logging-service", "/opt/logging-service/LoggingService"];
        await RunServiceAsync(service => service.PushAsync(NewMessage()), isKilled: true, OldRegistration, byHand);
        var token = Debian.TokenOf(OldRegistration);

        // An admin who is asked whether to replace the settings keeps them.
        await InstallAsync(await release.GetAsync(".deb"));

        Assert.Equal(token, Debian.TokenOf(Registration));
        Assert.Equal("root:logging-service 640", await StatAsync(Registration));
        Assert.Equal(Registration, (await Debian.RunAsync("readlink", OldRegistration)).Trim());
        Assert.Equal("/lib/systemd/system/logging-service.service", await WantedUnitAsync());
        Assert.Equal(UnitByHand, await ReadAsync("/etc/systemd/system/logging-service.service.replaced"));
        Assert.False(File.Exists(Debian["/etc/systemd/system/logging-service.service"]));
        await RunServiceAsync(async service =>
        {
            await service.Process.WaitForLineAsync(hasSettings ? "Keeping 90 days" : "Keeping all days");
            return await service.PushAsync(NewMessage());
        });
    }

    // Recorded: version 0.1.0 was killed 8 s after its checkpoint, and 11 transactions after it.
    [Fact]
    public async Task The_logs_of_version_0_1_are_taken_over_with_what_only_its_journal_has_after_a_power_cut()
    {
        const string Other = "!b:localhost";
        await InstallByHandAsync();
        var recorded = Path.Combine(AppContext.BaseDirectory, "Legacy", "killed-0.1.0.tar.gz");
        await ProcessOutput.GetAsync("tar", "-xzf", recorded, "-C", Debian["/var/lib/logging-service"]);
        await Debian.RunAsync("chown", "-R", User, "/var/lib/logging-service");
        _eventIds.AddRange(LogFolder.EventIds(Debian[Logs], Room));
        var others = LogFolder.EventIds(Debian[Logs], Other);
        var quarantined = await ReadAsync($"{Logs}/.quarantine/20261127.jsonl");
        var records = Directory.GetFiles(Debian[Logs], "20261127.jsonl", SearchOption.AllDirectories);
        var complete = records.Select(File.ReadAllText).ToList();
        Assert.Equal((22, 11, 3), (_eventIds.Count, others.Count, records.Length));
        foreach (var file in Directory.GetFiles(Debian[Logs], "20261127.*", SearchOption.AllDirectories))
        {
            // Only what the checkpoint synced is on the disk, and a part of the next line.
            var lines = await File.ReadAllTextAsync(file, Cancellation);
            await File.WriteAllTextAsync(file, file.Contains(".quarantine") ? "" : lines[..(lines.IndexOf('\n') + 30)], Cancellation);
        }

        await InstallAsync(await release.GetAsync(".deb"));

        await RunServiceAsync(async service =>
        {
            await service.Process.WaitForLineAsync("Upgraded the journal of version 0.1");
            return await service.PushAsync(NewMessage());
        });
        Assert.Equal(others, LogFolder.EventIds(Debian[Logs], Other));
        Assert.True(LogFolder.HasLogged(Debian[Logs], Other, others));
        Assert.Equal(quarantined, await ReadAsync($"{Logs}/.quarantine/20261127.jsonl"));
        foreach (var (record, lines) in records.Zip(complete))
        {
            Assert.StartsWith(lines, await File.ReadAllTextAsync(record, Cancellation), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_removed_package_leaves_settings_and_logs_and_a_purged_one_only_the_logs()
    {
        await InstallDebianAsync();
        await InstallAsync(await release.GetAsync(".deb"));
        await RunServiceAsync(service => service.PushAsync(NewMessage()));

        await Debian.RunAsync("dpkg", "--remove", "logging-service");
        Assert.False(File.Exists(Debian[Program]));
        Assert.True(File.Exists(Debian[Settings]) && File.Exists(Debian[Registration]));
        Assert.True(LogFolder.HasLogged(Debian[Logs], Room, _eventIds));

        var output = await Debian.RunAsync("dpkg", "--purge", "logging-service");
        Assert.Contains("The logs of the rooms were not removed. To delete them: rm -r /var/lib/logging-service", output);
        Assert.Equal("", await Debian.RunAsync("find", "/etc", "/usr", "/lib/", "/opt", "/var/log", "-name", "*ogging-service*"));
        Assert.Equal(["logs"], Directory.GetFileSystemEntries(Debian["/var/lib/logging-service"]).Select(Path.GetFileName));
        Assert.True(LogFolder.HasLogged(Debian[Logs], Room, _eventIds));

        // And back again.
        await InstallAsync(await release.GetAsync(".deb"));
        await RunServiceAsync(service => service.PushAsync(NewMessage()));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task InstallByHandAsync()
    {
        await InstallDebianAsync();
        await Debian.RunAsync(
            "useradd", "--system", "--home-dir", "/var/lib/logging-service", "--shell", "/usr/sbin/nologin", "logging-service");
        await Debian.RunAsync("install", "-d", "-m", "750", "-o", "logging-service", "-g", "logging-service", "/var/lib/logging-service");
        Directory.CreateDirectory(Debian["/opt/logging-service"]);
        File.Copy(ServiceProcess.Program[0], Debian["/opt/logging-service/LoggingService"]);
        await WriteAsync("/etc/systemd/system/logging-service.service", UnitByHand);
        await Debian.RunAsync(
            "ln", "-s", "/etc/systemd/system/logging-service.service",
            "/etc/systemd/system/multi-user.target.wants/logging-service.service");
    }

    private async Task InstallDebianAsync()
    {
        await Release.EnsureToolsAsync(needsProgram: true);
        await Release.RunAsync("deb/test-folder", _folder["debian"]);
    }

    private Task<string> InstallAsync(string package)
    {
        File.Copy(package, Debian["/root/package.deb"], overwrite: true);
        return Debian.RunAsync(
            "env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-unsafe-io", "--force-confold", "--install", "/root/package.deb");
    }

    /// <summary>The package with an earlier version.</summary>
    private async Task<string> OlderPackageAsync()
    {
        await ProcessOutput.GetAsync("dpkg-deb", "--raw-extract", await release.GetAsync(".deb"), _folder["older"]);
        await ProcessOutput.GetAsync("sed", "-i", "s/^Version: .*/Version: 0.1.9-1/", _folder["older", "DEBIAN", "control"]);
        await ProcessOutput.GetAsync("dpkg-deb", "-Znone", "--build", _folder["older"], _folder["older.deb"]);
        return _folder["older.deb"];
    }

    /// <summary>
    /// Starts the service, has it log, and stops or kills it. All events so far are in the log, once, unless it is killed.
    /// </summary>
    private async Task RunServiceAsync(
        Func<RunningService, Task<int>> push, bool isKilled = false, string registration = Registration, params string[] command)
    {
        if (command.Length == 0)
        {
            command = ["env", "-C", "/var/lib/logging-service", Program];
        }

        await using var service = await Debian.StartServiceAsync(User, _homeserver, registration, Debian[Logs], command);
        Assert.Equal(200, await push(service));
        if (isKilled)
        {
            await service.Process.KillAsync();
            Assert.NotEmpty(LogFolder.Segments(Debian[Logs]));
            return;
        }

        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Equal(_eventIds, LogFolder.EventIds(Debian[Logs], Room));
        Assert.True(LogFolder.HasLogged(Debian[Logs], Room, _eventIds));
        Assert.Empty(LogFolder.Segments(Debian[Logs]));
    }

    private string NewMessage()
    {
        _eventIds.Add(Some.EventId());
        return Some.Message(Room, eventId: _eventIds[^1]);
    }

    private async Task<string> StatAsync(string path) => (await Debian.RunAsync("stat", "--format", "%U:%G %a", path)).Trim();

    private async Task<string> WantedUnitAsync() =>
        (await Debian.RunAsync("readlink", "/etc/systemd/system/multi-user.target.wants/logging-service.service")).Trim();

    private Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Debian[path], Cancellation);

    private Task WriteAsync(string path, string text) =>
        File.WriteAllTextAsync(Debian[path], text, Cancellation);
}
