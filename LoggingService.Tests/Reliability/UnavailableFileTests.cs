using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Files and folders that the service can't access: it responds 5xx, logs all or none of a transaction's events, names the
/// path and the error in its own log, and recovers without a restart.
/// </summary>
public class UnavailableFileTests
{
    private readonly Ledger _ledger = new();
    private readonly string _room = Some.RoomId();
    private readonly string _free = Some.RoomId();

    [Fact]
    public async Task A_read_only_disk_causes_5xx_until_it_is_writable_again()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        using var service = new ServiceUnderTest(folder: folder);
        await PushAsync(service, Ledger.Create([_room]));
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var transaction = Ledger.Create([_room, Some.RoomId()]);
            await disk.SetReadOnlyAsync(true);
            for (var attempt = 0; attempt < 3; attempt++)
                await AssertRefusedAsync(service, transaction);

            // One warning however often the homeserver retries, and one message when it is over.
            Assert.Equal(round + 1, service.WarningsAndErrors.Count(line =>
                line.StartsWith("Failed to append to the log", StringComparison.Ordinal)
                && line.Contains("Read-only file system")));
            await disk.SetReadOnlyAsync(false);
            await PushAsync(service, transaction);
            Assert.Equal(round + 1, service.Logged.Count(logged => logged.RenderMessage() == "Appending to the log works again"));
        }

        _ledger.AssertComplete(service.Logs, "disk read-only", "a mount made read-only and writable again", rounds);
    }

    [Theory]
    [InlineData("room")]
    [InlineData(".journal")]
    [InlineData(".quarantine")]
    [InlineData("")]
    public async Task A_file_in_place_of_a_folder_causes_5xx_for_all_rooms_of_the_transaction(string name)
    {
        using var service = new ServiceUnderTest();
        const string Unloggable = """{"no":"event"}""";
        await PushAsync(service, With(Ledger.Create([_free, _room]), Unloggable));
        var folder = Path.Combine(service.Logs, name == "room" ? _room : name).TrimEnd('/');
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            Directory.Move(folder, folder + ".away");
            await File.WriteAllTextAsync(folder, "not a folder", TestContext.Current.CancellationToken);
            var transaction = With(Ledger.Create([_free, _room]), Unloggable);
            for (var attempt = 0; attempt < 2; attempt++)
                Assert.InRange((await service.PushAsync("1", transaction.Json)).Status, 500, 599);
            Assert.Contains(service.WarningsAndErrors, line =>
                line.StartsWith("Failed to append to the log", StringComparison.Ordinal) && line.Contains(folder));
            File.Delete(folder);
            Directory.Move(folder + ".away", folder);
            Assert.All(Ledger.CountEvents(service.Logs, transaction), count => Assert.Equal(0, count));
            await PushAsync(service, transaction);
        }

        var method = $"{(name.Length == 0 ? "logs" : name)}, replaced while open";
        _ledger.AssertComplete(service.Logs, "a file in place of a folder", method, rounds);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".journal")]
    [InlineData("room")]
    public async Task A_removal_of_open_files_loses_no_event_that_is_acknowledged_later(string name)
    {
        using var folder = TempFolder.ForCaller();
        var rounds = Trial.Scale(3, 30);
        var acknowledged = new List<Ledger.Transaction>();
        using (var service = new ServiceUnderTest(folder: folder))
        {
            for (var round = 0; round < rounds; round++)
            {
                Assert.Equal(200, (await service.PushAsync("1", Ledger.Create([_free, _room]).Json)).Status);
                Directory.Delete(Path.Combine(service.Logs, name == "room" ? _room : name), recursive: true);
                acknowledged.Clear();
                for (var i = 0; i < 3; i++)
                {
                    // The service may detect the removal with the first transaction.
                    acknowledged.Add(Ledger.Create([_free, _room]));
                    var (status, _) = await service.PushAsync("2", acknowledged[i].Json);
                    if (status != 200)
                        Assert.Equal(200, (await service.PushAsync("2", acknowledged[i].Json)).Status);
                }
            }

            // Events acknowledged after the last removal are logged, also after a kill at this moment.
            using var killed = TempFolder.ForCaller();
            LogFolder.Copy(service.Logs, killed["logs"]);
            using var restarted = new ServiceUnderTest(folder: killed);
            await PushAsync(restarted, Ledger.Create([_room]));
            acknowledged.ForEach(_ledger.Acknowledge);
            var method = $"rm -rf of {(name.Length == 0 ? "logs" : name)} while open";
            _ledger.AssertComplete(killed["logs"], "logs removed", method, rounds);
        }
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    [InlineData("journal")]
    public async Task A_locked_file_causes_5xx_until_it_is_unlocked(string target)
    {
        using var folder = TempFolder.ForCaller();
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            using var killed = TempFolder.ForCaller();
            using (var service = new ServiceUnderTest(folder: folder))
            {
                await PushAsync(service, Ledger.Create([_free, _room]));
                LogFolder.Copy(service.Logs, killed["logs"]);
            }

            var transaction = Ledger.Create([_free, _room]);
            var locked = target == "journal"
                ? LogFolder.Segments(killed["logs"]).Single()
                : Directory.GetFiles(killed["logs", _room], $"2*.{target}").Single();
            using (var restarted = new ServiceUnderTest(folder: killed))
            {
                using (new FileStream(locked, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    await AssertStatus5xxAsync(restarted, transaction);
                    Assert.Contains(restarted.WarningsAndErrors, line => line.Contains(locked, StringComparison.Ordinal));
                }

                Assert.All(Ledger.CountEvents(killed["logs"], transaction), count => Assert.Equal(0, count));
                await PushAsync(restarted, transaction);
            }

            Directory.Delete(folder["logs"], recursive: true);
            LogFolder.Copy(killed["logs"], folder["logs"]);
        }

        var method = $"flock of a {(target == "journal" ? "segment of the journal" : $".{target}")}";
        _ledger.AssertComplete(folder["logs"], "a file locked by another process", method, rounds);
    }

    [Fact]
    public async Task Removed_permissions_cause_5xx_until_they_are_restored()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can drop capabilities");

        // Without these capabilities, permissions apply to root as well.
        const string capabilities = "-dac_override,-dac_read_search";
        await using var service = await RunningService.StartAsync(
            folder, homeserver, "setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities, "--");
        Assert.Equal(200, await service.PushAsync(With(Ledger.Create([_room]), """{"no":"event"}""").Json));
        var rounds = 0;
        for (var round = 0; round < Trial.Scale(1, 5); round++)
        {
            foreach (var (name, mode) in new[] { ("", 0), ("", 0x140), (".journal", 0), (".quarantine", 0), (_room, 0) })
            {
                rounds++;
                var transaction = With(Ledger.Create([_room, Some.RoomId()]), """{"no":"event"}""");
                var path = folder["logs", name];
                File.SetUnixFileMode(path, (UnixFileMode)mode);
                for (var attempt = 0; attempt < 2; attempt++)
                    Assert.InRange(await service.PushAsync(transaction.Json), 500, 599);
                File.SetUnixFileMode(path, (UnixFileMode)0x1E8);
                Assert.All(Ledger.CountEvents(folder["logs"], transaction), count => Assert.Equal(0, count));
                await service.PushUntilAcceptedAsync(transaction.Json);
                _ledger.Acknowledge(transaction);
                await service.Process.WaitForLineAsync($"Failed to append to the log.*{Regex.Escape(path)}");
            }
        }

        // A checkpoint that can't open a file keeps the journal, which the next start replays.
        var record = Directory.GetFiles(folder["logs", _room], "2*.jsonl").Single();
        File.SetUnixFileMode(record, 0);
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.NotEmpty(LogFolder.Segments(folder["logs"]));
        Assert.Contains(service.Process.Output, line => line.Contains($"open of {record} failed: Permission denied"));
        File.SetUnixFileMode(record, (UnixFileMode)0x1A0);
        await using var again = await RunningService.StartAsync(folder, homeserver);
        Assert.Equal(0, await again.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        _ledger.AssertComplete(folder["logs"], "permissions removed", "chmod of logs, .journal, .quarantine, a room and a record", rounds);
    }

    [Fact]
    public async Task Too_many_open_files_cause_5xx_and_rooms_leave_enough_for_the_rest()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        // One worker thread: the runtime aborts if it can't open the pipe that a new thread needs.
        string[] under =
        [
            "env", "DOTNET_ThreadPool_ForceMinWorkerThreads=1", "DOTNET_ThreadPool_ForceMaxWorkerThreads=1", "prlimit", "--nofile=400",
        ];
        await using var service = await RunningService.StartAsync(folder, homeserver, under);
        var rooms = Enumerable.Range(0, Trial.Scale(300, 1000)).Select(_ => Some.RoomId()).ToList();
        foreach (var chunk in rooms.Chunk(50))
        {
            var transaction = Ledger.Create(chunk);
            var status = await service.PushAsync(transaction.Json);
            Assert.True(status == 200, string.Join('\n', [$"{OpenFiles(service)} open", .. service.Process.Output]));
            _ledger.Acknowledge(transaction);
        }

        // 25 rooms with two files each, and the runtime's own: some 200, or 60 in the published program.
        Assert.InRange(OpenFiles(service), 100, 390);
        var rounds = Trial.Scale(5, 50);
        for (var round = 0; round < rounds; round++)
        {
            // A different limit in each round, so that a different file can't be opened.
            var transaction = Ledger.Create([.. rooms.Take(3), .. Enumerable.Range(0, 5).Select(_ => Some.RoomId())]);
            await LimitAsync(service, OpenFiles(service) - 60 + (5 * (round % 10)));
            var status = await service.PushAsync(transaction.Json);
            if (status != 200)
            {
                Assert.InRange(status, 500, 599);
                Assert.All(Ledger.CountEvents(folder["logs"], transaction), count => Assert.Equal(0, count));
            }

            await LimitAsync(service, 400);
            if (status != 200)
                await service.PushUntilAcceptedAsync(transaction.Json);
            _ledger.Acknowledge(transaction);
            rooms.Reverse();
        }

        await service.Process.WaitForLineAsync("Failed to append to the log.*Too many open files.*" + folder["logs"]);
        Assert.Equal(0, await service.Process.StopAsync());
        _ledger.AssertComplete(folder["logs"], "too many open files", "prlimit of the running service", rounds);
    }

    private static int OpenFiles(RunningService service) => Directory.GetFileSystemEntries($"/proc/{service.Process.Id}/fd").Length;

    private static async Task LimitAsync(RunningService service, int files)
    {
        var (exitCode, output) = await ChildProcess.RunAsync("prlimit", ["--pid", $"{service.Process.Id}", $"--nofile={files}:400"]);
        Assert.True(exitCode == 0, output);
    }

    private static Ledger.Transaction With(Ledger.Transaction transaction, string entry) =>
        transaction with { Json = [.. transaction.Json, entry] };

    private static async Task AssertRefusedAsync(ServiceUnderTest service, Ledger.Transaction transaction)
    {
        await AssertStatus5xxAsync(service, transaction);
        Assert.All(Ledger.CountEvents(service.Logs, transaction), count => Assert.Equal(0, count));
    }

    private static async Task AssertStatus5xxAsync(ServiceUnderTest service, Ledger.Transaction transaction) =>
        Assert.InRange((await service.PushAsync("1", transaction.Json)).Status, 500, 599);

    private async Task PushAsync(ServiceUnderTest service, Ledger.Transaction transaction)
    {
        Assert.Equal(200, (await service.PushAsync("1", transaction.Json)).Status);
        _ledger.Acknowledge(transaction);
    }
}
