using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>An fsync of the journal that fails, and one of files that are recovered or mended.</summary>
public class FailingFsyncTests : FailingFsyncTestBase
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_segment_of_the_journal_whose_sync_failed_is_not_written_to_again(bool isSentAgain)
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
                await AcknowledgedAsync(service, Ledger.Create([Other, Room], 5000));
                var segment = LogFolder.Segments(folder["logs"]).Single();
                var synced = Lengths(segment);
                var refused = Ledger.Create([Room, Other, Some.RoomId()]);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", segment))
                    await RefusedAsync(service, folder, refused);

                var files = Lengths(DayFiles(folder));
                if (isSentAgain)
                {
                    await AcknowledgedAsync(service, refused);
                    await AcknowledgedAsync(service, Ledger.Create([Room]));
                }

                await service.Process.KillAsync();
                Lose(synced, round % 2 == 0);

                // Of the rooms' files there is what a checkpoint has synced, which only the second sending had made.
                Lose(isSentAgain ? files : files.ToDictionary(file => file.Key, file => before.GetValueOrDefault(file.Key)), round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for the journal{(isSentAgain ? ", and the transaction sent again" : "")}", rounds);
    }

    [Fact]
    public async Task What_mends_a_file_is_not_lost_by_a_sync_that_fails()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            await using (var first = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(first, Ledger.Create([Room, Room]));
                Assert.Equal(0, await first.Process.StopAsync());
            }

            // A record without its last line break, as an editor leaves it, and a text that lacks a line.
            var (record, text) = (Directory.GetFiles(folder["logs", Room], "2*.jsonl").Single(), Directory.GetFiles(folder["logs", Room], "2*.log").Single());
            Lose(new Dictionary<string, long> { [record] = new FileInfo(record).Length - 1, [text] = new FileInfo(text).Length - 20 }, asZeros: false);
            var lengths = Lengths(record, text);
            await using (var service = await StartAsync(folder, homeserver))
            {
                var pushed = Ledger.Create([Room]);
                int status;
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, "fsync", "EIO", record, text))
                    status = await service.PushAsync(pushed.Json);
                if (status != 200)
                    await service.PushUntilAcceptedAsync(pushed.Json);
                Ledger.Acknowledge(pushed);
                await service.Process.KillAsync();
                Lose(lengths, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", "strace: EIO for files that are mended", rounds);
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    public async Task A_recovery_in_which_a_sync_failed_can_begin_again(string which)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            var cut = Ledger.Create([Room], 300);
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Create([Room, Other]));
                Assert.Equal(200, await service.PushAsync(cut.Json));
                Assert.Equal(0, await service.Process.StopAsync());
            }

            var files = DayFiles(folder).ToList();
            var synced = Lengths(files);
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Create([Room, Other]));
                await AcknowledgedAsync(service, Ledger.Create([Room, Other], 500));
                await service.Process.KillAsync();
            }

            // Somebody takes the last synced line away, for which the journal is of no use; and nothing after it was synced.
            foreach (var file in files.Where(file => file.Contains(Room, StringComparison.Ordinal)))
                synced[file] = File.ReadAllText(file)[..(int)synced[file]].TrimEnd('\n').LastIndexOf('\n') + 1;
            Lose(synced, asZeros: false);
            var failing = Directory.GetFiles(folder["logs", Other], $"2*.{which}").Single();
            var attempt = 0;
            await using (var service = await RunningService.StartAsync(folder, homeserver, "strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-P", failing))
            {
                for (; attempt < 3; attempt++)
                    await RefusedAsync(service, folder, Ledger.Create([Other]));
                await service.Process.WaitForLineAsync($"Journal replay failed: fsync of {System.Text.RegularExpressions.Regex.Escape(failing)} failed: Input/output error");
                await service.Process.KillAsync();
            }

            Assert.NotEmpty(LogFolder.Segments(folder["logs"]));
            Lose(new Dictionary<string, long> { [failing] = synced[failing] }, round % 2 == 0);
            await StartAndStopAsync(folder, homeserver);
        }

        Ledger.AssertComplete(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for a .{which} in a recovery, a file cut", rounds);
    }

    [Fact]
    public async Task A_hole_in_the_journal_takes_nothing_out_of_the_files()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            await using (var service = await StartAsync(folder, homeserver))
            {
                for (var i = 0; i < 6; i++)
                    await AcknowledgedAsync(service, Ledger.Create([Room, Other, Some.RoomId()], 3000));
                await service.Process.KillAsync();
            }

            // A page that the disk lost, though it had synced it: in the middle, with whole frames after it.
            var segment = LogFolder.Segments(folder["logs"]).Single();
            using (var file = File.OpenWrite(segment))
            {
                file.Position = file.Length / 2 / 4096 * 4096;
                file.Write(new byte[4096]);
            }

            var damaged = await File.ReadAllBytesAsync(segment, TestContext.Current.CancellationToken);
            await StartAndStopAsync(folder, homeserver);
            Assert.Contains(Directory.GetFiles(folder["logs", ".quarantine"], "journal-*"), kept => damaged.AsSpan().SequenceEqual(File.ReadAllBytes(kept)));
        }

        Ledger.AssertComplete(folder["logs"], "a hole in the journal", "a page in the middle set to zeros, after a kill", rounds);
    }
}
