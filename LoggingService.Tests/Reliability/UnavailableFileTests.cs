using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Files and folders that the service can't get at: 5xx, all or nothing, the log says what and where, and no restart is needed once they are back.</summary>
public class UnavailableFileTests
{
    private readonly Ledger _ledger = new();
    private readonly string _room = Some.RoomId();
    private readonly string _free = Some.RoomId();

    [Fact]
    public async Task A_read_only_disk_is_a_5xx_until_it_is_writable_again()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        using var service = new ServiceUnderTest(folder: folder);
        await AcknowledgedAsync(service, Ledger.Create([_room]));
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var pushed = Ledger.Create([_room, Some.RoomId()]);
            await disk.SetReadOnlyAsync(true);
            for (var attempt = 0; attempt < 3; attempt++)
                await RefusedAsync(service, pushed);

            // The admin reads once what is wrong, however often the homeserver tries, and once that it is over.
            Assert.Equal(round + 1, service.WarningsAndErrors.Count(line => line.StartsWith("Failed to append to the log", StringComparison.Ordinal) && line.Contains("Read-only file system", StringComparison.Ordinal)));
            await disk.SetReadOnlyAsync(false);
            await AcknowledgedAsync(service, pushed);
            Assert.Equal(round + 1, service.Logged.Count(logged => logged.RenderMessage() == "Appending to the log works again"));
        }

        _ledger.AssertComplete(service.Logs, "disk read-only", "a mount made read-only and writable again", rounds);
    }

    [Theory]
    [InlineData("room")]
    [InlineData(".journal")]
    [InlineData(".quarantine")]
    [InlineData("")]
    public async Task A_file_in_the_place_of_a_folder_is_a_5xx_for_all_rooms_of_the_transaction(string name)
    {
        using var service = new ServiceUnderTest();
        const string Unloggable = """{"no":"event"}""";
        await AcknowledgedAsync(service, With(Ledger.Create([_free, _room]), Unloggable));
        var folder = Path.Combine(service.Logs, name == "room" ? _room : name).TrimEnd('/');
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            Directory.Move(folder, folder + ".away");
            await File.WriteAllTextAsync(folder, "not a folder", TestContext.Current.CancellationToken);
            var pushed = With(Ledger.Create([_free, _room]), Unloggable);
            for (var attempt = 0; attempt < 2; attempt++)
                Assert.InRange((await service.PushAsync("1", pushed.Json)).Status, 500, 599);
            Assert.Contains(service.WarningsAndErrors, line => line.StartsWith("Failed to append to the log", StringComparison.Ordinal) && line.Contains(folder, StringComparison.Ordinal));
            File.Delete(folder);
            Directory.Move(folder + ".away", folder);
            Assert.All(Ledger.CountEvents(service.Logs, pushed), times => Assert.Equal(0, times));
            await AcknowledgedAsync(service, pushed);
        }

        _ledger.AssertComplete(service.Logs, "a file instead of a folder", name.Length == 0 ? "logs, replaced while it is open" : $"{name}, replaced while it is open", rounds);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".journal")]
    [InlineData("room")]
    public async Task What_is_removed_while_it_is_open_takes_nothing_with_it_that_is_acknowledged_later(string name)
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
                    // The first may be the one that notices.
                    acknowledged.Add(Ledger.Create([_free, _room]));
                    var (status, _) = await service.PushAsync("2", acknowledged[i].Json);
                    if (status != 200)
                        Assert.Equal(200, (await service.PushAsync("2", acknowledged[i].Json)).Status);
                }
            }

            // What was acknowledged after the last removal is there; also after a kill at this moment.
            using var killed = TempFolder.ForCaller();
            LogFolder.Copy(service.Logs, killed["logs"]);
            using var restarted = new ServiceUnderTest(folder: killed);
            await AcknowledgedAsync(restarted, Ledger.Create([_room]));
            acknowledged.ForEach(_ledger.Acknowledge);
            _ledger.AssertComplete(killed["logs"], "logs gone", name.Length == 0 ? "rm -rf logs while they are open" : $"rm -rf of {name} while it is open", rounds);
        }
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    [InlineData("journal")]
    public async Task A_file_that_somebody_has_locked_is_a_5xx_until_he_lets_go(string what)
    {
        using var folder = TempFolder.ForCaller();
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            using var killed = TempFolder.ForCaller();
            using (var service = new ServiceUnderTest(folder: folder))
            {
                await AcknowledgedAsync(service, Ledger.Create([_free, _room]));
                LogFolder.Copy(service.Logs, killed["logs"]);
            }

            var pushed = Ledger.Create([_free, _room]);
            var locked = what == "journal" ? LogFolder.Segments(killed["logs"]).Single() : Directory.GetFiles(killed["logs", _room], $"2*.{what}").Single();
            using (var restarted = new ServiceUnderTest(folder: killed))
            {
                using (new FileStream(locked, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    await Refused5xxAsync(restarted, pushed);
                    Assert.Contains(restarted.WarningsAndErrors, line => line.Contains(locked, StringComparison.Ordinal));
                }

                Assert.All(Ledger.CountEvents(killed["logs"], pushed), times => Assert.Equal(0, times));
                await AcknowledgedAsync(restarted, pushed);
            }

            Directory.Delete(folder["logs"], recursive: true);
            LogFolder.Copy(killed["logs"], folder["logs"]);
        }

        _ledger.AssertComplete(folder["logs"], "a file locked by somebody", $"flock of a {(what == "journal" ? "segment of the journal" : $".{what}")}", rounds);
    }

    [Fact]
    public async Task Permissions_that_are_taken_away_are_a_5xx_until_they_are_back()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can take root's privileges away");

        // Permissions bind a root that may not override them.
        await using var service = await RunningService.StartAsync(folder, homeserver, "setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search", "--");
        Assert.Equal(200, await service.PushAsync(With(Ledger.Create([_room]), """{"no":"event"}""").Json));
        var rounds = 0;
        for (var round = 0; round < Trial.Scale(1, 5); round++)
        {
            foreach (var (name, mode) in new[] { ("", 0), ("", 0x140), (".journal", 0), (".quarantine", 0), (_room, 0) })
            {
                rounds++;
                var pushed = With(Ledger.Create([_room, Some.RoomId()]), """{"no":"event"}""");
                var taken = folder["logs", name];
                File.SetUnixFileMode(taken, (UnixFileMode)mode);
                for (var attempt = 0; attempt < 2; attempt++)
                    Assert.InRange(await service.PushAsync(pushed.Json), 500, 599);
                File.SetUnixFileMode(taken, (UnixFileMode)0x1E8);
                Assert.All(Ledger.CountEvents(folder["logs"], pushed), times => Assert.Equal(0, times));
                await service.PushUntilAcceptedAsync(pushed.Json);
                _ledger.Acknowledge(pushed);
                await service.Process.WaitForLineAsync($"Failed to append to the log.*{System.Text.RegularExpressions.Regex.Escape(taken)}");
            }
        }

        // A checkpoint that can't open a file keeps the journal, which the next start applies.
        var record = Directory.GetFiles(folder["logs", _room], "2*.jsonl").Single();
        File.SetUnixFileMode(record, 0);
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.NotEmpty(LogFolder.Segments(folder["logs"]));
        Assert.Contains(service.Process.Output, line => line.Contains($"open of {record} failed: Permission denied", StringComparison.Ordinal));
        File.SetUnixFileMode(record, (UnixFileMode)0x1A0);
        await using var again = await RunningService.StartAsync(folder, homeserver);
        Assert.Equal(0, await again.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        _ledger.AssertComplete(folder["logs"], "permissions taken away", "chmod of logs, .journal, .quarantine, a room and a record", rounds);
    }

    [Fact]
    public async Task Too_many_open_files_are_a_5xx_and_rooms_leave_enough_for_everything_else()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        // A runtime that can't start a thread, which takes a pipe, ends itself: the one that runs already must do.
        await using var service = await RunningService.StartAsync(folder, homeserver, "env", "DOTNET_ThreadPool_ForceMinWorkerThreads=1", "DOTNET_ThreadPool_ForceMaxWorkerThreads=1", "prlimit", "--nofile=400");
        var rooms = Enumerable.Range(0, Trial.Scale(300, 1000)).Select(_ => Some.RoomId()).ToList();
        foreach (var some in rooms.Chunk(50))
        {
            var pushed = Ledger.Create(some);
            Assert.True(await service.PushAsync(pushed.Json) == 200, string.Join('\n', [$"{OpenFiles(service)} open", .. service.Process.Output]));
            _ledger.Acknowledge(pushed);
        }

        // 25 rooms with two files each, and the runtime's own: some 200, or 60 in the published program.
        Assert.InRange(OpenFiles(service), 100, 390);
        var rounds = Trial.Scale(5, 50);
        for (var round = 0; round < rounds; round++)
        {
            // Another number each time: another one of the files can't be opened any more.
            var pushed = Ledger.Create([.. rooms.Take(3), .. Enumerable.Range(0, 5).Select(_ => Some.RoomId())]);
            await LimitAsync(service, OpenFiles(service) - 60 + (5 * (round % 10)));
            var status = await service.PushAsync(pushed.Json);
            if (status != 200)
            {
                Assert.InRange(status, 500, 599);
                Assert.All(Ledger.CountEvents(folder["logs"], pushed), times => Assert.Equal(0, times));
            }

            await LimitAsync(service, 400);
            if (status != 200)
                await service.PushUntilAcceptedAsync(pushed.Json);
            _ledger.Acknowledge(pushed);
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

    private static Ledger.Transaction With(Ledger.Transaction pushed, string more) => pushed with { Json = [.. pushed.Json, more] };

    private static async Task RefusedAsync(ServiceUnderTest service, Ledger.Transaction pushed)
    {
        await Refused5xxAsync(service, pushed);
        Assert.All(Ledger.CountEvents(service.Logs, pushed), times => Assert.Equal(0, times));
    }

    private static async Task Refused5xxAsync(ServiceUnderTest service, Ledger.Transaction pushed) =>
        Assert.InRange((await service.PushAsync("1", pushed.Json)).Status, 500, 599);

    private async Task AcknowledgedAsync(ServiceUnderTest service, Ledger.Transaction pushed)
    {
        Assert.Equal(200, (await service.PushAsync("1", pushed.Json)).Status);
        _ledger.Acknowledge(pushed);
    }
}
