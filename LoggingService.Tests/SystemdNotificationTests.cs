using System.Net.Sockets;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What systemd is notified of, at a socket of the test's own.</summary>
public sealed class SystemdNotificationTests : IDisposable
{
    private static readonly TimeSpan ShortWatchdog = TimeSpan.FromSeconds(2);
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();
    private readonly NotifySocket _systemd = new();

    public void Dispose()
    {
        _systemd.Dispose();
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Ready_is_notified_once_the_service_listens_and_stopping_when_it_is_asked_to()
    {
        await using var service = await RunningService.StartAsync(_folder, _homeserver, _systemd.Under());
        await _systemd.WaitForAsync("READY=1");

        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Equal(["READY=1 STATUS=", "STOPPING=1"], _systemd.Received);
    }

    [Fact]
    public async Task Ready_is_not_notified_before_the_service_listens()
    {
        // The last step before it listens.
        await File.WriteAllTextAsync(_folder["registration.yaml"], ServiceUnderTest.RegistrationText(), Cancellation);
        using var other = new TcpListener(System.Net.IPAddress.Loopback, 0);
        other.Start();
        await using var service = ServiceProcess.StartUnder(_systemd.Under(), _folder.Path, "--urls", $"http://{other.LocalEndpoint}");

        await service.AssertOneLineAsync(1, "another program listens there already");
        Assert.Equal(0, _systemd.Count("READY=1"));
    }

    [Fact]
    public async Task The_watchdog_is_notified_while_nothing_happens_and_while_events_are_logged()
    {
        await using var service = await RunningService.StartAsync(_folder, _homeserver, _systemd.Under(ShortWatchdog));
        await _systemd.WaitForAsync("WATCHDOG=1", 2);
        var idle = _systemd.Count("WATCHDOG=1");
        while (_systemd.Count("WATCHDOG=1") < idle + 2)
        {
            Assert.Equal(200, await service.PushAsync(Some.Message("!a:localhost")));
        }

        Assert.DoesNotContain(service.Process.Output, line => line.Contains("no progress", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_watchdog_in_the_unit_it_is_not_notified()
    {
        string[] foreign = [.. _systemd.Under(ShortWatchdog), "WATCHDOG_PID=1"];
        await using var service = await RunningService.StartAsync(_folder, _homeserver, foreign);
        await _systemd.WaitForAsync("READY=1");
        Assert.Equal(0, await service.Process.StopAsync());

        Assert.Equal(0, _systemd.Count("WATCHDOG=1"));
    }

    [Theory]
    [InlineData("journal", "fdatasync")]
    [InlineData("writer", "pwrite64")]
    public async Task The_watchdog_is_not_notified_while_the_disk_hangs(string part, string call)
    {
        await using var service = await RunningService.StartAsync(_folder, _homeserver, _systemd.Under(ShortWatchdog));
        var first = Some.EventId();
        Assert.Equal(200, await service.PushAsync(Some.Message("!a:localhost", eventId: first)));
        await Wait.UntilAsync(() => LogFolder.HasLogged(service.Logs, "!a:localhost", [first]), "the room is open");
        var hanging = part == "journal"
            ? Assert.Single(LogFolder.Segments(service.Logs))
            : Assert.Single(Directory.GetFiles(Path.Combine(service.Logs, "!a:localhost"), "*.jsonl"));
        Task<int> push;
        int notified;
        await using (await SyscallFaults.InjectAsync(service.Process.Id, call, "delay_enter=60000000", hanging))
        {
            push = service.PushAsync(Some.Message("!a:localhost"));
            await service.Process.WaitForLineAsync($"The {part} has made no progress for 1 s");
            notified = _systemd.Count("WATCHDOG=1");
            await _systemd.WaitForAsync($"STATUS=The {part} makes no progress", 4);
            Assert.Equal(notified, _systemd.Count("WATCHDOG=1"));
        }

        Assert.Equal(200, await push);
        await _systemd.WaitForAsync("WATCHDOG=1", notified + 1);
        await service.Process.WaitForLineAsync("The journal and the writer make progress again");
    }

    [Fact]
    public async Task The_watchdog_is_notified_while_the_writer_retries_a_failing_disk()
    {
        using var disk = await SmallDisk.MountAsync(_folder["logs"], "100m");
        using var journal = await SmallDisk.MountAsync(_folder["logs", ".journal"], "100m");
        await using var service = await RunningService.StartAsync(_folder, _homeserver, _systemd.Under(TimeSpan.FromSeconds(4)));
        Assert.Equal(200, await service.PushAsync(Some.Message("!a:localhost")));
        await disk.SetReadOnlyAsync(true);
        Assert.Equal(200, await service.PushAsync(Some.Message("!b:localhost")));
        await service.Process.WaitForLineAsync("Failed to write to the log directory");
        var notified = _systemd.Count("WATCHDOG=1");

        await _systemd.WaitForAsync("WATCHDOG=1", notified + 3);
        await disk.SetReadOnlyAsync(false);
        await service.Process.WaitForLineAsync("Writing to the log directory works again");
    }

    [Fact]
    public async Task A_long_replay_of_the_journal_asks_for_more_time_while_it_reads()
    {
        var segment = await LeaveJournalAsync(transactions: 6);

        // Each frame is read in two calls.
        await using var service = StartSlowly(segment, "delay_enter=200000");
        await _systemd.WaitForAsync("READY=1");

        Assert.NotEqual(0, _systemd.Count("EXTEND_TIMEOUT_USEC=60000000"));
        Assert.Matches("^STATUS=Replaying the journal: [0-9]+ frames read EXTEND_TIMEOUT_USEC=60000000$", _systemd.Received[0]);
        Assert.Equal("READY=1 STATUS=", _systemd.Received.SkipWhile(datagram => datagram.StartsWith("STATUS")).First());
    }

    [Fact]
    public async Task A_replay_that_hangs_does_not_ask_for_more_time()
    {
        var segment = await LeaveJournalAsync(transactions: 6);
        // The ninth read takes as long as six notifications.
        await using var service = StartSlowly(segment, "delay_enter=3000000:when=9");
        await _systemd.WaitForAsync("READY=1");

        const string Extension = " EXTEND_TIMEOUT_USEC=60000000";
        var hung = _systemd.Received
            .Where(datagram => datagram.StartsWith("STATUS=Replaying", StringComparison.Ordinal))
            .GroupBy(datagram => datagram.Replace(Extension, ""))
            .MaxBy(datagrams => datagrams.Count())!;
        Assert.InRange(hung.Count(), 3, 7);
        Assert.Equal([$"{hung.Key}{Extension}"], hung.Where(datagram => datagram != hung.Key));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<string> LeaveJournalAsync(int transactions)
    {
        await using var service = await RunningService.StartAsync(_folder, _homeserver);
        for (var i = 0; i < transactions; i++)
        {
            Assert.Equal(200, await service.PushAsync(Some.Message("!a:localhost")));
        }

        await service.Process.KillAsync();
        return Assert.Single(LogFolder.Segments(service.Logs));
    }

    /// <summary>Starts the service with delays in the reads of a file, and a watchdog time that makes it notify twice a second.</summary>
    private ServiceProcess StartSlowly(string file, string injection)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is missing. Run: apt-get install strace");
        string[] strace = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=pread64", "-e", $"inject=pread64:{injection}", "-P", file];
        return ServiceProcess.StartUnder(
            [.. _systemd.Under(ShortWatchdog), .. strace],
            _folder.Path,
            ["--homeserver", _homeserver.Address, "--urls", "http://127.0.0.1:0"]);
    }
}
