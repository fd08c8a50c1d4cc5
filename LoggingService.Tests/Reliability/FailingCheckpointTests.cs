using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>An fsync that fails in a checkpoint: the file is made anew, or the journal stays.</summary>
public class FailingCheckpointTests : FailingFsyncTestBase
{
    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    [InlineData("jsonl,log")]
    public async Task A_file_whose_sync_failed_in_a_checkpoint_is_made_anew(string which)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            var before = Lengths(DayFiles(folder));
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Create([Room, Other]));
                await AcknowledgedAsync(service, Ledger.Create([Room, Other], 5000));
                var failing = which.Split(',').Select(ending => Directory.GetFiles(folder["logs", Room], $"2*.{ending}").Single()).ToList();
                var unsynced = failing.ToDictionary(path => path, path => before.GetValueOrDefault(path));
                using var open = new OpenFiles(failing);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                Assert.All(failing, path => Assert.Contains(service.Process.Output, line => line.Contains($"fsync failed for {path}; rebuilt from the journal", StringComparison.Ordinal)));
                Assert.Empty(LogFolder.Segments(folder["logs"]));
                open.LoseWhereStillThere(unsynced, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for a .{which} in a checkpoint", rounds);
    }

    [Theory]
    [InlineData("the file that is made anew")]
    [InlineData("the room's folder")]
    [InlineData("the log directory")]
    public async Task A_checkpoint_in_which_a_sync_failed_keeps_the_journal(string what)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 4);
        for (var round = 0; round < rounds; round++)
        {
            var fresh = Some.RoomId();
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Create([Room, fresh], 5000));
                var record = Directory.GetFiles(folder["logs", fresh], "2*.jsonl").Single();
                string[] failing = what switch
                {
                    "the room's folder" => [folder["logs", fresh]],
                    "the log directory" => [folder["logs"]],
                    _ => [record, record + ".new"],
                };
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                Assert.Contains(service.Process.Output, line => line.Contains("Checkpoint failed", StringComparison.Ordinal) && line.Contains(failing[^1], StringComparison.Ordinal));
                Assert.NotEmpty(LogFolder.Segments(folder["logs"]));

                // The names are gone with the folder's, or what the file had.
                if (what == "the room's folder")
                    Directory.GetFiles(folder["logs", fresh]).ToList().ForEach(File.Delete);
                else if (what == "the log directory")
                    Directory.Delete(folder["logs", fresh], recursive: true);
                else
                    Lose(new Dictionary<string, long> { [record] = 0 }, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for {what} in a checkpoint", rounds);
    }

    [Fact]
    public async Task A_checkpoint_that_is_tried_again_does_not_believe_the_second_sync_of_a_file()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using (var service = await StartAsync(folder, homeserver))
        {
            await AcknowledgedAsync(service, Ledger.Create([Room, Other], 5000));
            var record = Directory.GetFiles(folder["logs", Room], "2*.jsonl").Single();
            using var open = new OpenFiles([record]);
            await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", record, record + ".new"))
            {
                // Some idle seconds.
                await service.Process.WaitForLineAsync($"Checkpoint failed: fsync of {record}.new failed: Input/output error");
                Assert.NotEmpty(LogFolder.Segments(folder["logs"]));

                // What the file shows is nothing to go by: 5xx for its room until it is made anew, and for no other.
                await RefusedAsync(service, folder, Ledger.Create([Room]));
                await AcknowledgedAsync(service, Ledger.Create([Other]));
            }

            await service.Process.WaitForLineAsync("Checkpoint succeeded again");
            Assert.Contains(service.Process.Output, line => line.Contains($"fsync failed for {record}; rebuilt from the journal", StringComparison.Ordinal));
            await service.Process.KillAsync();
            open.LoseWhereStillThere(new Dictionary<string, long> { [record] = 0 }, asZeros: true);
        }

        await StartAndStopAsync(folder, homeserver);
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", "strace: EIO for a record and the one made anew, then none", 1);
    }
}
