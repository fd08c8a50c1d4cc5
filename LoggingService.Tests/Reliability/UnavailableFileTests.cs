using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Files and folders that the service can't access: those of the journal cause a 5xx, those of a room park the room. The service names the
/// path and the error in its own log, loses and repeats nothing, and recovers without a restart.
/// </summary>
public class UnavailableFileTests
{
    private readonly Ledger _ledger = new();
    private readonly string _room = Some.RoomId();
    private readonly string _free = Some.RoomId();

    [Fact]
    public async Task New_rooms_on_a_read_only_disk_are_logged_when_it_is_writable_again()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "100m");
        using var service = new ServiceUnderTest(folder: folder);
        await PushAsync(service, Ledger.Create([_room]));
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var transaction = Ledger.Create([_room, Some.RoomId()]);
            await disk.SetReadOnlyAsync(true);
            service.IsWriterStalled = true;
            await PushAsync(service, transaction);

            // One error however many transactions follow, and one message when it is over.
            await Wait.UntilAsync(() => CountErrors() == round + 1, "an error");
            await PushAsync(service, Ledger.Create([_room, Some.RoomId()]));
            await disk.SetReadOnlyAsync(false);
            await _ledger.WaitUntilLoggedAsync(service.Logs);
            service.IsWriterStalled = false;
            await service.CaughtUpAsync();
            Assert.Equal(round + 1, CountErrors());
            Assert.Equal(
                round + 1, service.Logged.Count(logged => logged.RenderMessage() == "Writing to the log directory works again"));
        }

        int CountErrors() => service.WarningsAndErrors.Count(line =>
            line.StartsWith("Failed to write to the log directory", StringComparison.Ordinal) && line.Contains("Read-only file system"));

        _ledger.AssertComplete(service.Logs, "disk read-only", "a mount made read-only and writable again", rounds);
    }

    [Theory]
    [InlineData("room")]
    [InlineData(".journal")]
    [InlineData(".quarantine")]
    [InlineData("")]
    public async Task A_file_in_place_of_a_folder_causes_5xx_only_for_the_journal(string name)
    {
        using var service = new ServiceUnderTest { MaxRetryDelay = TimeSpan.FromSeconds(1) };
        var isJournal = name is "" or ".journal";
        const string Unloggable = """{"no":"event"}""";
        await PushAsync(service, With(Ledger.Create([_free, _room]), Unloggable));
        var folder = Path.Combine(service.Logs, name == "room" ? _room : name).TrimEnd('/');
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            Directory.Move(folder, folder + ".away");
            await File.WriteAllTextAsync(folder, "not a folder", TestContext.Current.CancellationToken);
            var transaction = With(Ledger.Create([_free, _room]), Unloggable);
            service.IsWriterStalled = name.Length == 0;
            for (var attempt = 0; attempt < 2; attempt++)
            {
                var (status, _) = await service.PushAsync("1", transaction.Json);
                Assert.True(isJournal ? status is >= 500 and < 600 : status == 200, $"{status}");
            }

            var message = isJournal ? "Failed to append to the journal" : "Failed to write the log of";
            await Wait.UntilAsync(
                () => service.WarningsAndErrors.Any(line => line.StartsWith(message, StringComparison.Ordinal) && line.Contains(folder)),
                "an error");
            File.Delete(folder);
            Directory.Move(folder + ".away", folder);
            await Wait.UntilAsync(
                () => service.PushAsync("1", transaction.Json).Result.Status == 200, "the transaction is accepted", () => { });
            _ledger.Acknowledge(transaction);
            await _ledger.WaitUntilLoggedAsync(service.Logs);
            service.IsWriterStalled = false;
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

                // A room that was repaired less than 30 s ago is parked, and has no folder.
                var removed = Path.Combine(service.Logs, name == "room" ? _room : name);
                if (Directory.Exists(removed))
                    Directory.Delete(removed, recursive: true);
                acknowledged.Clear();
                for (var i = 0; i < 3; i++)
                {
                    // The service may detect the removal with the first transaction.
                    acknowledged.Add(Ledger.Create([_free, _room]));
                    await Wait.UntilAsync(
                        () => service.PushAsync("2", acknowledged[i].Json).Result.Status == 200, "the transaction is accepted");
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
    public async Task A_locked_file_parks_its_room_until_it_is_unlocked(string extension)
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
            var locked = Directory.GetFiles(killed["logs", _room], $"2*.{extension}").Single();
            using (var restarted = new ServiceUnderTest(folder: killed) { MaxRetryDelay = TimeSpan.FromSeconds(1) })
            {
                using (new FileStream(locked, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    await PushAsync(restarted, transaction);
                    Assert.Contains(restarted.WarningsAndErrors, line => line.Contains(locked, StringComparison.Ordinal));
                    Assert.True(LogFolder.HasLogged(killed["logs"], _free, [transaction.Events[0].Id]));
                }

                await _ledger.WaitUntilLoggedAsync(killed["logs"]);
            }

            Directory.Delete(folder["logs"], recursive: true);
            LogFolder.Copy(killed["logs"], folder["logs"]);
        }

        var method = $"flock of a .{extension}";
        _ledger.AssertComplete(folder["logs"], "a file locked by another process", method, rounds);
    }

    [Fact]
    public async Task Removed_permissions_lose_no_event()
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
                await service.PushAsync(transaction.Json);
                await service.Process.WaitForLineAsync($"Failed to (append|write).*{Regex.Escape(path)}");
                File.SetUnixFileMode(path, (UnixFileMode)0x1E8);
                await service.PushUntilAcceptedAsync(transaction.Json);
                _ledger.Acknowledge(transaction);
                await _ledger.WaitUntilLoggedAsync(service.Logs);
            }
        }

        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        _ledger.AssertComplete(folder["logs"], "permissions removed", "chmod of logs, .journal, .quarantine and a room", rounds);
    }

    [Fact]
    public async Task Too_many_open_files_lose_no_event_and_rooms_leave_enough_for_the_rest()
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

        await _ledger.WaitUntilLoggedAsync(service.Logs);

        // 25 rooms with two files each, and the runtime's own: some 200, or under 20 in the published program.
        Assert.InRange(OpenFiles(service), 60, 390);
        var rounds = Trial.Scale(5, 50);
        for (var round = 0; round < rounds; round++)
        {
            // A different limit in each round, so that a different file can't be opened.
            var transaction = Ledger.Create([.. rooms.Take(3), .. Enumerable.Range(0, 5).Select(_ => Some.RoomId())]);
            await LimitAsync(service, OpenFiles(service) - 60 + (5 * (round % 10)));
            var status = await service.PushAsync(transaction.Json);
            Assert.True(status is 200 or (>= 500 and < 600), $"{status}");
            await LimitAsync(service, 400);
            if (status != 200)
                await service.PushUntilAcceptedAsync(transaction.Json);
            _ledger.Acknowledge(transaction);
            await _ledger.WaitUntilLoggedAsync(service.Logs);
            rooms.Reverse();
        }

        // .NET names the path behind the reason, Posix before it.
        await service.Process.WaitForLineAsync(
            $"Failed to (append|write).*(Too many open files.*{folder["logs"]}|{folder["logs"]}.*Too many open files)");
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

    private async Task PushAsync(ServiceUnderTest service, Ledger.Transaction transaction)
    {
        Assert.Equal(200, (await service.PushAsync("1", transaction.Json)).Status);
        _ledger.Acknowledge(transaction);
    }
}
