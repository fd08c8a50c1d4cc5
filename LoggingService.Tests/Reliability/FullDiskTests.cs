using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>A disk that is full to the last byte or the last file, at every step: 5xx, all or nothing, and it passes without a restart.</summary>
public class FullDiskTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("no space")]
    [InlineData("no more files")]
    public async Task A_transaction_is_whole_or_absent_at_whichever_step_the_disk_is_full(string lack)
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "4m", 2000);
        using var service = new ServiceUnderTest(folder: folder);
        List<string> rooms = [Some.RoomId(), Some.RoomId()];
        await AcknowledgedAsync(service, Ledger.Create(rooms));

        // At each amount that is left another step is the one that fails: the journal, a text or a record, a folder, latest.log, the quarantine.
        var (rounds, refused) = (0, 0);
        for (var round = 0; round < Trial.Scale(1, 8); round++)
        {
            for (var left = 0; left < 14; left++, rounds++)
            {
                // Every other time the journal has to begin anew.
                if (left % 2 == 0 && lack == "no more files")
                    LogFolder.Segments(service.Logs).ToList().ForEach(File.Delete);
                Fill(disk, lack, left);
                var fresh = Some.RoomId();
                var pushed = Ledger.Create([.. rooms, fresh], Random.Shared.Next(10, 3000));
                var marker = $"no event {rounds}";
                List<string> json = [.. pushed.Json, $$"""{"said":"{{marker}}"}"""];
                var (status, _) = await service.PushAsync($"{rounds}", json);
                if (status != 200)
                {
                    refused++;
                    Assert.InRange(status, 500, 599);
                    Assert.All(Ledger.CountEvents(service.Logs, pushed), times => Assert.Equal(0, times));
                    Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace, StringComparison.Ordinal) && line.Contains(service.Logs, StringComparison.Ordinal));
                }

                disk.Clear();
                for (var attempt = 0; status != 200; attempt++)
                {
                    // A second one where the journal was taken away, which the first one only notices.
                    Assert.InRange(attempt, 0, 1);
                    status = (await service.PushAsync($"{rounds}", json)).Status;
                }

                _ledger.Acknowledge(pushed);
                Assert.True(Ledger.IsQuarantined(service.Logs, marker));
                await AcknowledgedAsync(service, Ledger.Create([fresh]));
                Assert.True(File.Exists(Path.Combine(service.Logs, fresh, "latest.log")), "latest.log is there as soon as it can be");
            }
        }

        Assert.InRange(refused, rounds / 5, rounds - 1);
        _ledger.AssertComplete(service.Logs, "disk full", $"a small tmpfs with {lack}, at every step", rounds);
    }

    [Fact]
    public async Task An_aliases_link_is_made_as_soon_as_the_disk_has_room_for_it()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        var room = Some.RoomId();
        var homeserver = new StubHomeserver().AliasesOf(room);
        using var service = new ServiceUnderTest(folder: folder, homeserver: homeserver);
        await AcknowledgedAsync(service, Ledger.Create([room]));
        disk.FillWithFiles();
        homeserver.AliasesOf(room, "#logged_test:localhost");
        await AcknowledgedAsync(service, new([], [$$"""{"content":{"alias":"#logged_test:localhost"},"event_id":"{{Some.EventId()}}","origin_server_ts":1795437020908,"room_id":"{{room}}","sender":"@alice:localhost","state_key":"","type":"m.room.canonical_alias"}"""]));
        await Wait.UntilAsync(() => service.WarningsAndErrors.Any(line => line.StartsWith("The link for", StringComparison.Ordinal)), "the failure is told");
        await AcknowledgedAsync(service, Ledger.Create([room]));
        Assert.Single(service.WarningsAndErrors, line => line.StartsWith("The link for", StringComparison.Ordinal));
        disk.Clear();
        await AcknowledgedAsync(service, Ledger.Create([room]));
        Assert.Equal(room, new FileInfo(Path.Combine(service.Logs, "logged_test")).LinkTarget);
        Assert.Empty(Directory.GetFiles(service.Logs, "*.link"));
    }

    [Theory]
    [InlineData("no space", "to be recovered")]
    [InlineData("no more files", "to be recovered")]
    [InlineData("no space", "to be mended")]
    [InlineData("no more files", "to be mended")]
    public async Task A_service_that_is_started_on_a_full_disk_answers_5xx_until_there_is_room(string lack, string what)
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "4m", 400);
        var rounds = Trial.Scale(3, 12);
        for (var round = 0; round < rounds; round++)
        {
            var left = round % 3;
            List<string> rooms = [.. Enumerable.Range(0, 5).Select(_ => Some.RoomId())];
            using (var killed = TempFolder.ForCaller())
            {
                // Its clock stands still: no checkpoint empties the journal that is needed.
                using (var before = new ServiceUnderTest(new FakeTimeProvider(DateTimeOffset.UtcNow), folder))
                {
                    for (var i = 0; i < 3; i++)
                        await AcknowledgedAsync(before, Ledger.Create(rooms, 2000));
                    LogFolder.Copy(before.Logs, killed["logs"]);
                }

                // As a power cut leaves it: the journal, and of the files that it names some part, or nothing.
                if (what == "to be recovered")
                {
                    foreach (var segment in LogFolder.Segments(killed["logs"]))
                        File.Copy(segment, folder["logs", ".journal", Path.GetFileName(segment)]);
                    foreach (var file in rooms.SelectMany(room => Directory.GetFiles(folder["logs", room], "2*")))
                    {
                        if (lack == "no more files")
                            File.Delete(file);
                        else
                            Cut(file, new FileInfo(file).Length * left / 12);
                    }
                }
            }

            if (what == "to be mended")
            {
                foreach (var room in rooms)
                {
                    Cut(Directory.GetFiles(folder["logs", room], "2*.log").Single(), 100);
                    File.AppendAllText(Directory.GetFiles(folder["logs", room], "2*.jsonl").Single(), "{\"never finis");
                }
            }

            Fill(disk, lack, left);
            using var service = new ServiceUnderTest(folder: folder);
            var pushed = Ledger.Create([.. rooms, Some.RoomId()], 2000);
            for (var attempt = 0; attempt < 2; attempt++)
            {
                Assert.InRange((await service.PushAsync("1", pushed.Json)).Status, 500, 599);
                Assert.All(Ledger.CountEvents(service.Logs, pushed), times => Assert.Equal(0, times));
            }

            Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace, StringComparison.Ordinal) && line.Contains(service.Logs, StringComparison.Ordinal));
            disk.Clear();
            await AcknowledgedAsync(service, pushed);
        }

        _ledger.AssertComplete(folder["logs"], "disk full at the start", $"a small tmpfs with {lack}, and files {what}", rounds);
    }

    [Fact]
    public async Task A_checkpoint_keeps_the_journal_as_long_as_the_disk_has_no_room_for_a_file_made_anew()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        using var service = new ServiceUnderTest(time, folder);
        var (room, other) = (Some.RoomId(), Some.RoomId());
        var first = Ledger.Create([room, other], 30000);
        await AcknowledgedAsync(service, first);

        // A sync of /dev/null fails, as that of a file on a failing disk.
        var record = Path.Combine(service.Logs, room, "20261123.jsonl");
        File.Move(record, record + ".kept");
        File.CreateSymbolicLink(record, "/dev/null");
        disk.Fill();
        await Wait.UntilAsync(() => service.WarningsAndErrors.Any(line => line.Contains("Checkpoint failed", StringComparison.Ordinal)), "the failure is told", () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace, StringComparison.Ordinal) && line.Contains(record, StringComparison.Ordinal));
        Assert.NotEmpty(LogFolder.Segments(service.Logs));

        // Nor is that room's log opened and mended by what the file shows, which has nothing of what was acknowledged.
        disk.Clear();
        disk.Fill(leave: 4 * 4096);
        var next = Ledger.Create([room]);
        Assert.InRange((await service.PushAsync("2", next.Json)).Status, 500, 599);
        disk.Clear();
        await AcknowledgedAsync(service, next);
        await Wait.UntilAsync(() => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));
        _ledger.AssertComplete(service.Logs, "disk full at a checkpoint", "a small tmpfs, and a file that must be made anew", 1);
    }

    private const string NoSpace = "No space left on device";

    private static void Fill(SmallDisk disk, string lack, int left)
    {
        if (lack == "no space")
            disk.Fill(left * 4096);
        else
            disk.FillWithFiles(left);
    }

    private static void Cut(string path, long length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }

    private async Task AcknowledgedAsync(ServiceUnderTest service, Ledger.Transaction pushed)
    {
        Assert.Equal(200, (await service.PushAsync("a", pushed.Json)).Status);
        _ledger.Acknowledge(pushed);
    }
}
