using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>An fsync that fails in a checkpoint: the room is parked until its files are rebuilt, or the journal is kept.</summary>
public class FailingCheckpointTests : FailingFsyncTestBase
{
    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    [InlineData("jsonl,log")]
    public async Task A_room_whose_fsync_fails_in_the_checkpoint_of_a_stop_stays_parked(string extensions)
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
                var failing = FilesOf(folder, Room, extensions);
                var unsynced = failing.ToDictionary(path => path, path => before.GetValueOrDefault(path));
                using var open = new OpenFiles(failing);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                await WaitUntilParkedAsync(service, Room, $"fsync of {Regex.Escape(failing[0])} failed: Input/output error");
                Assert.Empty(LogFolder.Segments(folder["logs"]));
                Assert.NotEmpty(LogFolder.ParkedSegments(folder["logs"], Room));
                Assert.Empty(LogFolder.ParkedSegments(folder["logs"], Other));
                open.LoseUnsynced(unsynced, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
            Assert.Empty(LogFolder.ParkedSegments(folder["logs"], Room));
        }

        var method = $"strace: EIO for a .{extensions} in the checkpoint of a stop";
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", method, rounds);
    }

    [Theory]
    [InlineData("jsonl", false)]
    [InlineData("log", false)]
    [InlineData("jsonl,log", false)]
    [InlineData("jsonl", true)]
    [InlineData("log", true)]
    public async Task A_record_or_text_whose_fsync_failed_is_rebuilt_in_a_new_file(string extensions, bool failsForNewFile)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            var before = Lengths(DailyFiles(folder));
            await using (var service = await StartAsync(folder, homeserver))
            {
                await PushAsync(service, Ledger.Create([Room, Other], 5000));
                var failing = FilesOf(folder, Room, extensions);
                var unsynced = failing.ToDictionary(path => path, path => before.GetValueOrDefault(path));
                using var open = new OpenFiles(failing);

                string[] paths = [.. failing, .. failing.Select(path => path + ".new")];
                await using (var faults = await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", paths))
                {
                    await WaitUntilParkedAsync(service, Room, $"fsync of {Regex.Escape(failing[0])} failed: Input/output error");
                    await PushToParkedAsync(service, Ledger.Create([Room], 3000));
                    await PushAsync(service, Ledger.Create([Other]));
                    if (failsForNewFile)
                        await Wait.UntilAsync(() => faults.Count(".new>") > 1, "the fsync of the new file fails, too");
                }

                await service.Process.WaitForLineAsync($"The log of {Regex.Escape(Room)} is written again");
                await Ledger.WaitUntilLoggedAsync(folder["logs"]);
                await service.Process.KillAsync();
                open.LoseUnsynced(unsynced, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        var method = $"strace: EIO for a .{extensions}{(failsForNewFile ? " and its rebuilt file" : "")}, then none";
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", method, rounds);
    }

    [Theory]
    [InlineData("the rebuilt file")]
    [InlineData("the room's folder")]
    [InlineData("the log directory")]
    public async Task A_checkpoint_with_a_failed_fsync_keeps_the_entries(string target)
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
                if (target == "the log directory")
                {
                    await service.Process.WaitForLineAsync($"Checkpoint failed: fsync of {Regex.Escape(failing[0])} failed");
                    Assert.NotEmpty(LogFolder.Segments(folder["logs"]));
                }
                else
                {
                    await WaitUntilParkedAsync(service, fresh, $"fsync of {Regex.Escape(failing[0])} failed");
                    Assert.NotEmpty(LogFolder.ParkedSegments(folder["logs"], fresh));
                }

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

    private static List<string> FilesOf(TempFolder folder, string room, string extensions) =>
        [.. extensions.Split(',').Select(extension => Directory.GetFiles(folder["logs", room], $"2*.{extension}").Single())];
}
