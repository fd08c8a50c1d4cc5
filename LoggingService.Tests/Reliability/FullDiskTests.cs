using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A disk without space or inodes, at every step of a transaction: the service responds 5xx, logs all or none of its events,
/// and recovers without a restart.
/// </summary>
public class FullDiskTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("no space")]
    [InlineData("no more files")]
    public async Task A_transaction_is_complete_or_absent_at_whichever_step_the_disk_is_full(string shortage)
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "4m", 2000);
        using var service = new ServiceUnderTest(folder: folder);
        List<string> rooms = [Some.RoomId(), Some.RoomId()];
        await PushAsync(service, Ledger.Create(rooms));

        // The amount left decides which step fails: the journal, a text or record, a folder, latest.log, the quarantine.
        var rounds = 0;
        var refused = 0;
        for (var round = 0; round < Trial.Scale(1, 8); round++)
        {
            for (var left = 0; left < 14; left++)
            {
                // Every other time the journal must create a segment.
                if (left % 2 == 0 && shortage == "no more files")
                    LogFolder.Segments(service.Logs).ToList().ForEach(File.Delete);
                Fill(disk, shortage, left);
                var fresh = Some.RoomId();
                var transaction = Ledger.Create([.. rooms, fresh], Random.Shared.Next(10, 3000));
                var marker = $"no event {rounds}";
                List<string> json = [.. transaction.Json, $$"""{"marker":"{{marker}}"}"""];
                var (status, _) = await service.PushAsync($"{rounds}", json);
                if (status != 200)
                {
                    refused++;
                    Assert.InRange(status, 500, 599);
                    Assert.All(Ledger.CountEvents(service.Logs, transaction), count => Assert.Equal(0, count));
                    Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace) && line.Contains(service.Logs));
                }

                disk.Clear();
                for (var attempt = 0; status != 200; attempt++)
                {
                    // A deleted segment needs a second attempt: the first one detects it.
                    Assert.InRange(attempt, 0, 1);
                    status = (await service.PushAsync($"{rounds}", json)).Status;
                }

                _ledger.Acknowledge(transaction);
                Assert.True(Ledger.IsQuarantined(service.Logs, marker));
                await PushAsync(service, Ledger.Create([fresh]));
                Assert.True(File.Exists(Path.Combine(service.Logs, fresh, "latest.log")), "latest.log is missing");
                rounds++;
            }
        }

        Assert.InRange(refused, rounds / 5, rounds - 1);
        _ledger.AssertComplete(service.Logs, "disk full", $"a small tmpfs with {shortage}, at every step", rounds);
    }

    [Fact]
    public async Task The_link_of_an_alias_is_created_as_soon_as_the_disk_has_space()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        var room = Some.RoomId();
        var homeserver = new StubHomeserver().AliasesOf(room);
        using var service = new ServiceUnderTest(folder: folder, homeserver: homeserver);
        await PushAsync(service, Ledger.Create([room]));
        disk.FillWithFiles();
        homeserver.AliasesOf(room, "#logged_test:localhost");
        var alias = $$"""
            {
                "content":{"alias":"#logged_test:localhost"},"event_id":"{{Some.EventId()}}","origin_server_ts":1795437020908,
                "room_id":"{{room}}","sender":"@alice:localhost","state_key":"","type":"m.room.canonical_alias"
            }
            """;
        await PushAsync(service, new([], [alias.ReplaceLineEndings("")]));
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(line => line.StartsWith("Failed to link", StringComparison.Ordinal)), "a warning");
        await PushAsync(service, Ledger.Create([room]));
        Assert.Single(service.WarningsAndErrors, line => line.StartsWith("Failed to link", StringComparison.Ordinal));
        disk.Clear();
        await PushAsync(service, Ledger.Create([room]));
        Assert.Equal(room, new FileInfo(Path.Combine(service.Logs, "logged_test")).LinkTarget);
        Assert.Empty(Directory.GetFiles(service.Logs, "*.link"));
    }

    [Theory]
    [InlineData("no space", "to be recovered")]
    [InlineData("no more files", "to be recovered")]
    [InlineData("no space", "to be repaired")]
    [InlineData("no more files", "to be repaired")]
    public async Task A_service_started_on_a_full_disk_responds_5xx_until_there_is_space(string shortage, string damage)
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
                // Its clock is stopped, so that no checkpoint removes the journal's segments.
                using (var before = new ServiceUnderTest(new FakeTimeProvider(DateTimeOffset.UtcNow), folder))
                {
                    for (var i = 0; i < 3; i++)
                        await PushAsync(before, Ledger.Create(rooms, 2000));
                    LogFolder.Copy(before.Logs, killed["logs"]);
                }

                // As after a power cut: the journal, and of the files some part or nothing.
                if (damage == "to be recovered")
                {
                    foreach (var segment in LogFolder.Segments(killed["logs"]))
                        File.Copy(segment, folder["logs", ".journal", Path.GetFileName(segment)]);
                    foreach (var file in rooms.SelectMany(room => Directory.GetFiles(folder["logs", room], "2*")))
                    {
                        if (shortage == "no more files")
                            File.Delete(file);
                        else
                            Cut(file, new FileInfo(file).Length * left / 12);
                    }
                }
            }

            if (damage == "to be repaired")
            {
                foreach (var room in rooms)
                {
                    Cut(Directory.GetFiles(folder["logs", room], "2*.log").Single(), 100);
                    File.AppendAllText(Directory.GetFiles(folder["logs", room], "2*.jsonl").Single(), "{\"never finis");
                }
            }

            Fill(disk, shortage, left);
            using var service = new ServiceUnderTest(folder: folder);
            var transaction = Ledger.Create([.. rooms, Some.RoomId()], 2000);
            for (var attempt = 0; attempt < 2; attempt++)
            {
                Assert.InRange((await service.PushAsync("1", transaction.Json)).Status, 500, 599);
                Assert.All(Ledger.CountEvents(service.Logs, transaction), count => Assert.Equal(0, count));
            }

            Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace) && line.Contains(service.Logs));
            disk.Clear();
            await PushAsync(service, transaction);
        }

        _ledger.AssertComplete(folder["logs"], "disk full at the start", $"a small tmpfs with {shortage}, and files {damage}", rounds);
    }

    [Fact]
    public async Task A_checkpoint_keeps_the_journal_while_the_disk_has_no_space_to_rebuild_a_file()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        using var service = new ServiceUnderTest(time, folder);
        var room = Some.RoomId();
        var other = Some.RoomId();
        var first = Ledger.Create([room, other], 30000);
        await PushAsync(service, first);

        // An fsync of /dev/null fails, like that of a file on a failing disk.
        var record = Path.Combine(service.Logs, room, "20261123.jsonl");
        File.Move(record, record + ".kept");
        File.CreateSymbolicLink(record, "/dev/null");
        disk.Fill();
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(line => line.Contains("Checkpoint failed")),
            "a warning",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace) && line.Contains(record));
        Assert.NotEmpty(LogFolder.Segments(service.Logs));

        // The room isn't opened and repaired from the file either, which lacks the acknowledged events.
        disk.Clear();
        disk.Fill(leave: 4 * 4096);
        var next = Ledger.Create([room]);
        Assert.InRange((await service.PushAsync("2", next.Json)).Status, 500, 599);
        disk.Clear();
        await PushAsync(service, next);
        await Wait.UntilAsync(
            () => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));
        _ledger.AssertComplete(service.Logs, "disk full at a checkpoint", "a small tmpfs, and a file that must be rebuilt", 1);
    }

    private const string NoSpace = "No space left on device";

    private static void Fill(SmallDisk disk, string shortage, int left)
    {
        if (shortage == "no space")
            disk.Fill(left * 4096);
        else
            disk.FillWithFiles(left);
    }

    private static void Cut(string path, long length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }

    private async Task PushAsync(ServiceUnderTest service, Ledger.Transaction transaction)
    {
        Assert.Equal(200, (await service.PushAsync("a", transaction.Json)).Status);
        _ledger.Acknowledge(transaction);
    }
}
