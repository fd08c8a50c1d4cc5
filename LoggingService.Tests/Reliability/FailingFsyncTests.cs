using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>An fsync that fails: of the journal (500), or of a room's files during a replay or a repair (the room is parked).</summary>
public class FailingFsyncTests : FailingFsyncTestBase
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_journal_segment_whose_fsync_failed_is_not_written_to_again(bool isResent)
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
                await PushAsync(service, Ledger.Create([Other, Room], 5000));
                var segment = LogFolder.Segments(folder["logs"]).Single();
                var synced = Lengths(segment);
                var refused = Ledger.Create([Room, Other, Some.RoomId()]);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fdatasync", "EIO", segment))
                    await AssertRefusedAsync(service, refused);
                if (isResent)
                {
                    // A checkpoint follows the failure at once.
                    await Wait.UntilAsync(() => !File.Exists(segment), "the segment is dropped");
                    before = Lengths(DailyFiles(folder));
                    await PushAsync(service, refused);
                    await PushAsync(service, Ledger.Create([Room]));
                }

                await service.Process.KillAsync();
                LoseUnsynced(synced, round % 2 == 0);
                if (LogFolder.Segments(folder["logs"]).Length > 0)
                {
                    // No later checkpoint has synced the rooms' files.
                    LoseUnsynced(DailyFiles(folder).ToDictionary(file => file, file => before.GetValueOrDefault(file)), round % 2 == 0);
                }
            }

            await StartAndStopAsync(folder, homeserver);
        }

        var method = $"strace: EIO for the journal{(isResent ? ", and the transaction is resent" : "")}";
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", method, rounds);
    }

    [Fact]
    public async Task A_failed_fsync_does_not_lose_the_repair_of_a_file()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            await using (var first = await StartAsync(folder, homeserver))
            {
                await PushAsync(first, Ledger.Create([Room, Room]));
                Assert.Equal(0, await first.Process.StopAsync());
            }

            // A record without its last line break, as some editors leave it, and a text with an incomplete line.
            var record = Directory.GetFiles(folder["logs", Room], "2*.jsonl").Single();
            var text = Directory.GetFiles(folder["logs", Room], "2*.log").Single();
            LoseUnsynced(new() { [record] = new FileInfo(record).Length - 1, [text] = new FileInfo(text).Length - 20 }, asZeros: false);
            var lengths = Lengths(record, text);
            await using (var service = await StartAsync(folder, homeserver))
            {
                var transaction = Ledger.Create([Room]);
                using var open = new OpenFiles([record, text]);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", record, text))
                {
                    await PushToParkedAsync(service, transaction);
                    await WaitUntilParkedAsync(service, Room, "fsync of .* failed: Input/output error");
                }

                await Ledger.WaitUntilLoggedAsync(service.Logs, transaction);
                await service.Process.KillAsync();
                open.LoseUnsynced(lengths, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", "strace: EIO for files under repair", rounds);
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    public async Task A_replay_with_a_failed_fsync_can_be_repeated(string extension)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            var cut = Ledger.Create([Room], 300);
            await using (var service = await StartAsync(folder, homeserver))
            {
                await PushAsync(service, Ledger.Create([Room, Other]));
                Assert.Equal(200, await service.PushAsync(cut.Json));
                Assert.Equal(0, await service.Process.StopAsync());
            }

            var files = DailyFiles(folder).ToList();
            var synced = Lengths(files);
            await using (var service = await StartAsync(folder, homeserver))
            {
                await PushAsync(service, Ledger.Create([Room, Other]));
                await PushAsync(service, Ledger.Create([Room, Other], 500));
                await service.Process.KillAsync();
            }

            // Another program removes the last synced line, which the journal doesn't have, and nothing after it was synced.
            foreach (var file in files.Where(file => file.Contains(Room, StringComparison.Ordinal)))
                synced[file] = File.ReadAllText(file)[..(int)synced[file]].TrimEnd('\n').LastIndexOf('\n') + 1;
            LoseUnsynced(synced, asZeros: false);
            var failing = Directory.GetFiles(folder["logs", Other], $"2*.{extension}").Single();
            string[] strace = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-P", failing];
            await using (var service = await RunningService.StartAsync(folder, homeserver, strace))
            {
                await WaitUntilParkedAsync(service, Other, $"fsync of {Regex.Escape(failing)} failed: Input/output error");
                await PushToParkedAsync(service, Ledger.Create([Other]));
                await service.Process.KillAsync();
            }

            Assert.NotEmpty(LogFolder.Segments(folder["logs"]));
            LoseUnsynced(new Dictionary<string, long> { [failing] = synced[failing] }, round % 2 == 0);
            await StartAndStopAsync(folder, homeserver);
        }

        var method = $"strace: EIO for a .{extension} in a recovery, a file cut";
        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", method, rounds);
    }

    [Fact]
    public async Task A_hole_in_the_journal_removes_nothing_from_the_files()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            await using (var service = await StartAsync(folder, homeserver))
            {
                for (var i = 0; i < 6; i++)
                    await PushAsync(service, Ledger.Create([Room, Other, Some.RoomId()], 3000));
                await service.Process.KillAsync();
            }

            // A synced page that the disk lost: in the middle of the segment, with intact frames after it.
            var segment = LogFolder.Segments(folder["logs"]).Single();
            using (var file = File.OpenWrite(segment))
            {
                file.Position = file.Length / 2 / 4096 * 4096;
                file.Write(new byte[4096]);
            }

            var damaged = await File.ReadAllBytesAsync(segment, TestContext.Current.CancellationToken);
            await StartAndStopAsync(folder, homeserver);
            var quarantined = Directory.GetFiles(folder["logs", ".quarantine"], "*.bin");
            Assert.Contains(quarantined, path => damaged.AsSpan().IndexOf(File.ReadAllBytes(path)) > 0);
        }

        Ledger.AssertComplete(folder["logs"], "a hole in the journal", "a page in the middle set to zeros, after a kill", rounds);
    }
}
