using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>An fsync that fails in a checkpoint: the file is rebuilt, or the journal is kept.</summary>
public class FailingCheckpointTests : FailingFsyncTestBase
{
    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    [InlineData("jsonl,log")]
    public async Task A_file_whose_fsync_failed_in_a_checkpoint_is_rebuilt(string extensions)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            var before = Lengths(DailyFiles(folder));
            await using (var service = await StartAsync(folder, homeserver))
            {
                await PushAsync(service, Ledger.Create([Room, Other]));
                await PushAsync(service, Ledger.Create([Room, Other], 5000));
                var failing = extensions.Split(',')
                    .Select(extension => Directory.GetFiles(folder["logs", Room], $"2*.{extension}").Single()).ToList();
                var unsynced = failing.ToDictionary(path => path, path => before.GetValueOrDefault(path));
                using var open = new OpenFiles(failing);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                Assert.All(failing, path => Assert.Contains(
                    service.Process.Output, line => line.Contains($"fsync failed for {path}; rebuilt from the journal")));
                Assert.Empty(LogFolder.Segments(folder["logs"]));
                open.LoseUnsynced(unsynced, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        var method = $"strace: EIO for a .{extensions} in a checkpoint";
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", method, rounds);
    }

    [Theory]
    [InlineData("the rebuilt file")]
    [InlineData("the room's folder")]
    [InlineData("the log directory")]
    public async Task A_checkpoint_with_a_failed_fsync_keeps_the_journal(string target)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 4);
        for (var round = 0; round < rounds; round++)
        {
            var fresh = Some.RoomId();
            await using (var service = await StartAsync(folder, homeserver))
            {
                await PushAsync(service, Ledger.Create([Room, fresh], 5000));
                var record = Directory.GetFiles(folder["logs", fresh], "2*.jsonl").Single();
                string[] failing = target switch
                {
                    "the room's folder" => [folder["logs", fresh]],
                    "the log directory" => [folder["logs"]],
                    _ => [record, record + ".new"],
                };
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                Assert.Contains(service.Process.Output, line =>
                    line.Contains("Checkpoint failed") && line.Contains(failing[^1]));
                Assert.NotEmpty(LogFolder.Segments(folder["logs"]));

                // The power cut: the directory entries are lost, or the data of the file.
                if (target == "the room's folder")
                    Directory.GetFiles(folder["logs", fresh]).ToList().ForEach(File.Delete);
                else if (target == "the log directory")
                    Directory.Delete(folder["logs", fresh], recursive: true);
                else
                    LoseUnsynced(new Dictionary<string, long> { [record] = 0 }, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for {target} in a checkpoint", rounds);
    }

    [Fact]
    public async Task A_retried_checkpoint_does_not_rely_on_a_second_fsync_of_the_file()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using (var service = await StartAsync(folder, homeserver))
        {
            await PushAsync(service, Ledger.Create([Room, Other], 5000));
            var record = Directory.GetFiles(folder["logs", Room], "2*.jsonl").Single();
            using var open = new OpenFiles([record]);
            await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", record, record + ".new"))
            {
                // The service retries when it is idle.
                await service.Process.WaitForLineAsync(
                    $"Checkpoint failed: fsync of {record}.new failed: Input/output error");
                Assert.NotEmpty(LogFolder.Segments(folder["logs"]));

                // The content of the file can't be trusted: 5xx for its room until it is rebuilt, but not for other rooms.
                await AssertRefusedAsync(service, folder, Ledger.Create([Room]));
                await PushAsync(service, Ledger.Create([Other]));
            }

            await service.Process.WaitForLineAsync("Checkpoint succeeded again");
            Assert.Contains(
                service.Process.Output, line => line.Contains($"fsync failed for {record}; rebuilt from the journal"));
            await service.Process.KillAsync();
            open.LoseUnsynced(new Dictionary<string, long> { [record] = 0 }, asZeros: true);
        }

        await StartAndStopAsync(folder, homeserver);
        const string method = "strace: EIO for a record and its rebuilt file, then none";
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", method, 1);
    }
}
