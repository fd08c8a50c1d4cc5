using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// An fsync that fails, and a power cut after it: Linux has marked the pages clean by then, so that what had not been synced
/// before is gone, whatever a second fsync of the same file says.
/// </summary>
public class FailingSyncTests
{
    private readonly Ledger _ledger = new();
    private readonly string _room = Some.RoomId();
    private readonly string _other = Some.RoomId();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_segment_of_the_journal_whose_sync_failed_is_not_written_to_again(bool isSentAgain)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        var rounds = Proof.Times(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var before = Lengths(DayFiles(folder));
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Make([_room, _other]));
                await AcknowledgedAsync(service, Ledger.Make([_other, _room], 5000));
                var segment = LogFolder.Segments(folder["logs"]).Single();
                var synced = Lengths(segment);
                var refused = Ledger.Make([_room, _other, Some.RoomId()]);
                await using (await FailingCalls.MakeAsync(service.Process.Id, "fsync", "EIO", segment))
                    await RefusedAsync(service, folder, refused);

                var files = Lengths(DayFiles(folder));
                if (isSentAgain)
                {
                    await AcknowledgedAsync(service, refused);
                    await AcknowledgedAsync(service, Ledger.Make([_room]));
                }

                await service.Process.KillAsync();
                Lose(synced, round % 2 == 0);

                // Of the rooms' files there is what a checkpoint has synced, which only the second sending had made.
                Lose(isSentAgain ? files : files.ToDictionary(file => file.Key, file => before.GetValueOrDefault(file.Key)), round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        _ledger.Holds(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for the journal{(isSentAgain ? ", and the transaction sent again" : "")}", rounds);
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    [InlineData("jsonl,log")]
    public async Task A_file_whose_sync_failed_in_a_checkpoint_is_made_anew(string which)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        var rounds = Proof.Times(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var before = Lengths(DayFiles(folder));
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Make([_room, _other]));
                await AcknowledgedAsync(service, Ledger.Make([_room, _other], 5000));
                var failing = which.Split(',').Select(ending => Directory.GetFiles(folder["logs", _room], $"2*.{ending}").Single()).ToList();
                var unsynced = failing.ToDictionary(path => path, path => before.GetValueOrDefault(path));
                using var open = new OpenFiles(failing);
                await using (await FailingCalls.MakeAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                Assert.All(failing, path => Assert.Contains(service.Process.Output, line => line.Contains($"{path} could not be synced and was made anew", StringComparison.Ordinal)));
                Assert.Empty(LogFolder.Segments(folder["logs"]));
                open.LoseWhereStillThere(unsynced, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        _ledger.Holds(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for a .{which} in a checkpoint", rounds);
    }

    [Theory]
    [InlineData("the file that is made anew")]
    [InlineData("the room's folder")]
    [InlineData("the log directory")]
    public async Task A_checkpoint_in_which_a_sync_failed_keeps_the_journal(string what)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        var rounds = Proof.Times(1, 10);
        for (var round = 0; round < rounds; round++)
        {
            var fresh = Some.RoomId();
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Make([_room, fresh], 5000));
                var record = Directory.GetFiles(folder["logs", fresh], "2*.jsonl").Single();
                string[] failing = what switch
                {
                    "the room's folder" => [folder["logs", fresh]],
                    "the log directory" => [folder["logs"]],
                    _ => [record, record + ".new"],
                };
                await using (await FailingCalls.MakeAsync(service.Process.Id, "fsync", "EIO", failing))
                    Assert.Equal(0, await service.Process.StopAsync());
                Assert.Contains(service.Process.Output, line => line.Contains("The disk doesn't take what was written", StringComparison.Ordinal) && line.Contains(failing[^1], StringComparison.Ordinal));
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

        _ledger.Holds(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for {what} in a checkpoint", rounds);
    }

    [Fact]
    public async Task A_checkpoint_that_is_tried_again_does_not_believe_the_second_sync_of_a_file()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        await using (var service = await StartAsync(folder, homeserver))
        {
            await AcknowledgedAsync(service, Ledger.Make([_room, _other], 5000));
            var record = Directory.GetFiles(folder["logs", _room], "2*.jsonl").Single();
            using var open = new OpenFiles([record]);
            await using (await FailingCalls.MakeAsync(service.Process.Id, "fsync", "EIO", record, record + ".new"))
            {
                // Some idle seconds.
                await service.Process.WaitForLineAsync($"The disk doesn't take what was written: sync of {record}.new failed: Input/output error");
                Assert.NotEmpty(LogFolder.Segments(folder["logs"]));

                // What the file shows is nothing to go by: 5xx for its room until it is made anew, and for no other.
                await RefusedAsync(service, folder, Ledger.Make([_room]));
                await AcknowledgedAsync(service, Ledger.Make([_other]));
            }

            await service.Process.WaitForLineAsync("The disk takes what is written again");
            Assert.Contains(service.Process.Output, line => line.Contains($"{record} could not be synced and was made anew", StringComparison.Ordinal));
            await service.Process.KillAsync();
            open.LoseWhereStillThere(new Dictionary<string, long> { [record] = 0 }, asZeros: true);
        }

        await StartAndStopAsync(folder, homeserver);
        _ledger.Holds(folder["logs"], "fsync fails, then a power cut", "strace: EIO for a record and the one made anew, then none", 1);
    }

    [Fact]
    public async Task What_mends_a_file_is_not_lost_by_a_sync_that_fails()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        var rounds = Proof.Times(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            await using (var first = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(first, Ledger.Make([_room, _room]));
                Assert.Equal(0, await first.Process.StopAsync());
            }

            // A record without its last line break, as an editor leaves it, and a text that lacks a line.
            var (record, text) = (Directory.GetFiles(folder["logs", _room], "2*.jsonl").Single(), Directory.GetFiles(folder["logs", _room], "2*.log").Single());
            Lose(new Dictionary<string, long> { [record] = new FileInfo(record).Length - 1, [text] = new FileInfo(text).Length - 20 }, asZeros: false);
            var lengths = Lengths(record, text);
            await using (var service = await StartAsync(folder, homeserver))
            {
                var pushed = Ledger.Make([_room]);
                int status;
                await using (await FailingCalls.MakeAsync(service.Process.Id, "fsync", "EIO", record, text))
                    status = await service.PushAsync(pushed.Json);
                if (status != 200)
                    Assert.Equal(200, await service.PushAsync(pushed.Json));
                _ledger.Acknowledge(pushed);
                await service.Process.KillAsync();
                Lose(lengths, round % 2 == 0);
            }

            await StartAndStopAsync(folder, homeserver);
        }

        _ledger.Holds(folder["logs"], "fsync fails, then a power cut", "strace: EIO for files that are mended", rounds);
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("log")]
    public async Task A_recovery_in_which_a_sync_failed_can_begin_again(string which)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        var rounds = Proof.Times(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var cut = Ledger.Make([_room], 300);
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Make([_room, _other]));
                Assert.Equal(200, await service.PushAsync(cut.Json));
                Assert.Equal(0, await service.Process.StopAsync());
            }

            var files = DayFiles(folder).ToList();
            var synced = Lengths(files);
            await using (var service = await StartAsync(folder, homeserver))
            {
                await AcknowledgedAsync(service, Ledger.Make([_room, _other]));
                await AcknowledgedAsync(service, Ledger.Make([_room, _other], 500));
                await service.Process.KillAsync();
            }

            // Somebody takes the last synced line away, for which the journal is of no use; and nothing after it was synced.
            foreach (var file in files.Where(file => file.Contains(_room, StringComparison.Ordinal)))
                synced[file] = File.ReadAllText(file)[..(int)synced[file]].TrimEnd('\n').LastIndexOf('\n') + 1;
            Lose(synced, asZeros: false);
            var failing = Directory.GetFiles(folder["logs", _other], $"2*.{which}").Single();
            var attempt = 0;
            await using (var service = await RunningService.StartAsync(folder, homeserver, "strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-P", failing))
            {
                for (; attempt < 3; attempt++)
                    await RefusedAsync(service, folder, Ledger.Make([_other]));
                await service.Process.WaitForLineAsync($"can't be written to the logs now: sync of {System.Text.RegularExpressions.Regex.Escape(failing)} failed: Input/output error");
                await service.Process.KillAsync();
            }

            Assert.NotEmpty(LogFolder.Segments(folder["logs"]));
            Lose(new Dictionary<string, long> { [failing] = synced[failing] }, round % 2 == 0);
            await StartAndStopAsync(folder, homeserver);
        }

        _ledger.Holds(folder["logs"], "fsync fails, then a power cut", $"strace: EIO for a .{which} in a recovery, a file cut", rounds);
    }

    [Fact]
    public async Task A_hole_in_the_journal_takes_nothing_out_of_the_files()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new PlayedHomeserver();
        var rounds = Proof.Times(3, 20);
        for (var round = 0; round < rounds; round++)
        {
            await using (var service = await StartAsync(folder, homeserver))
            {
                for (var i = 0; i < 6; i++)
                    await AcknowledgedAsync(service, Ledger.Make([_room, _other, Some.RoomId()], 3000));
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

        _ledger.Holds(folder["logs"], "a hole in the journal", "a page in the middle set to zeros, after a kill", rounds);
    }

    private static Task<RunningService> StartAsync(TempFolder folder, PlayedHomeserver homeserver) => RunningService.StartAsync(folder, homeserver);

    /// <summary>The start after a power cut.</summary>
    private async Task StartAndStopAsync(TempFolder folder, PlayedHomeserver homeserver)
    {
        await using var service = await StartAsync(folder, homeserver);
        await AcknowledgedAsync(service, Ledger.Make([_room, _other]));
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
    }

    private async Task AcknowledgedAsync(RunningService service, Ledger.Pushed pushed)
    {
        Assert.True(await service.PushAsync(pushed.Json) == 200, string.Join('\n', service.Process.Output));
        _ledger.Acknowledge(pushed);
    }

    private static async Task RefusedAsync(RunningService service, TempFolder folder, Ledger.Pushed pushed)
    {
        Assert.True(await service.PushAsync(pushed.Json) is >= 500 and < 600, string.Join('\n', service.Process.Output));
        Assert.All(Ledger.Times(folder["logs"], pushed), times => Assert.Equal(0, times));
    }

    private static IEnumerable<string> DayFiles(TempFolder folder) => !Directory.Exists(folder["logs"]) ? [] :
        Directory.GetDirectories(folder["logs"], "!*").SelectMany(room => Directory.GetFiles(room, "2*"));

    private static Dictionary<string, long> Lengths(params IEnumerable<string> paths) => paths.ToDictionary(path => path, path => new FileInfo(path).Length);

    /// <summary>What files have beyond these lengths is gone, or zeros: their length was on the disk already.</summary>
    private static void Lose(Dictionary<string, long> synced, bool asZeros)
    {
        foreach (var (path, length) in synced.Where(file => File.Exists(file.Key)))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            var before = file.Length;
            file.SetLength(Math.Min(before, length));
            if (asZeros)
                file.SetLength(before);
        }
    }

    /// <summary>Files that are kept open, to see which of them their paths still lead to: another file can't have their inode meanwhile.</summary>
    private sealed class OpenFiles(IEnumerable<string> paths) : IDisposable
    {
        private readonly List<FileStream> _files = [.. paths.Select(path => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))];

        public void LoseWhereStillThere(Dictionary<string, long> synced, bool asZeros)
        {
            foreach (var file in _files)
                Lose(new() { [$"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}"] = synced[file.Name] }, asZeros);
        }

        public void Dispose() => _files.ForEach(file => file.Dispose());
    }
}
