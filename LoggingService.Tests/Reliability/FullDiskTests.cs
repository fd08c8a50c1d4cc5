using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A disk that other programs fill, at every step of a transaction: the journal responds 5xx, and nothing that was acknowledged is lost.
/// When there is space again, the service catches up without a restart. Its reserve is switched off, which prevents most of this.
/// </summary>
public class FullDiskTests
{
    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData("no space")]
    [InlineData("no more files")]
    public async Task No_event_is_lost_or_repeated_at_whichever_step_the_disk_is_full(string shortage)
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "4m", 2000);
        using var service = new ServiceUnderTest(folder: folder) { Bounds = Unbounded, MaxRetryDelay = TimeSpan.FromSeconds(1) };
        List<string> rooms = [Some.RoomId(), Some.RoomId()];
        await PushAsync(service, Ledger.Create(rooms));

        // The amount left decides which step fails: the journal, a text or record, a folder, latest.log, the quarantine.
        var rounds = 0;
        var refused = 0;
        for (var round = 0; round < Trial.Scale(1, 8); round++)
        {
            for (var left = 0; left < 14; left += Trial.Scale(2, 1))
            {
                // Every other time the journal must create a segment.
                if (left % 4 == 0)
                {
                    await service.CheckpointAsync();
                    var spare = LogFolder.Spare(service.Logs);
                    await Wait.UntilAsync(() => !File.Exists(spare) || File.ReadAllBytes(spare).All(b => b == 0), "the spare is zeroed");
                    File.Delete(spare);
                }

                Fill(disk, shortage, left);
                service.IsWriterStalled = true;
                var fresh = Some.RoomId();
                var transaction = Ledger.Create([.. rooms, fresh], Random.Shared.Next(10, 3000));
                var marker = $"no event {rounds}";
                List<string> json = [.. transaction.Json, $$"""{"marker":"{{marker}}"}"""];
                var (status, _) = await service.PushAsync($"{rounds}", json);
                if (status != 200)
                {
                    refused++;
                    Assert.InRange(status, 500, 599);
                    Assert.Contains(service.WarningsAndErrors, line => line.Contains(NoSpace) && line.Contains(service.Logs));
                }

                disk.Clear();
                if (status != 200)
                    Assert.Equal(200, (await service.PushAsync($"{rounds}", json)).Status);
                _ledger.Acknowledge(transaction);
                await _ledger.WaitUntilLoggedAsync(service.Logs);
                await Wait.UntilAsync(() => Ledger.IsQuarantined(service.Logs, marker), "the unloggable entry is in the quarantine");
                service.IsWriterStalled = false;
                await PushAsync(service, Ledger.Create([fresh]));
                Assert.True(File.Exists(Path.Combine(service.Logs, fresh, "latest.log")), "latest.log is missing");
                rounds++;
            }
        }

        Assert.InRange(refused, 1, rounds - 1);
        _ledger.AssertComplete(service.Logs, "disk full", $"a small tmpfs with {shortage}, at every step", rounds);
    }

    [Fact]
    public async Task A_checkpoint_keeps_the_journal_while_there_is_no_space_to_park_a_room()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        using var service = new ServiceUnderTest(time, folder) { Bounds = Unbounded, MaxRetryDelay = TimeSpan.FromSeconds(1) };
        var room = Some.RoomId();
        await File.WriteAllTextAsync(Path.Combine(service.Logs, room), "", TestContext.Current.CancellationToken);
        await PushAsync(service, Ledger.Create([room, Some.RoomId()], 30000));
        disk.Fill();
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(
                line => line.StartsWith("Checkpoint failed", StringComparison.Ordinal) && line.Contains(NoSpace)),
            "a warning",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.NotEmpty(LogFolder.Segments(service.Logs));

        disk.Clear();
        await Wait.UntilAsync(
            () => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.NotEmpty(LogFolder.ParkedSegments(service.Logs, room));
        File.Delete(Path.Combine(service.Logs, room));
        await _ledger.WaitUntilLoggedAsync(service.Logs);
        _ledger.AssertComplete(service.Logs, "disk full", "a small tmpfs, and a room to be parked", 1);
    }

    [Fact]
    public async Task A_room_is_parked_while_there_is_no_space_to_repair_its_record()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], "4m", 400);
        using var service = new ServiceUnderTest(folder: folder) { Bounds = Unbounded, MaxRetryDelay = TimeSpan.FromSeconds(1) };
        var room = Some.RoomId();
        var other = Some.RoomId();
        for (var i = 0; i < 10; i++)
            await PushAsync(service, Ledger.Create([room, other], 30000));
        await service.CheckpointAsync();
        await PushAsync(service, Ledger.Create([room, other]));

        // A line of another program behind those of the journal: the record must be rewritten when the room can't be appended to.
        var record = Directory.GetFiles(Path.Combine(service.Logs, room), "2*.jsonl").Single();
        await File.AppendAllTextAsync(record, Some.Message(room, new string('y', 1000)) + "\n", TestContext.Current.CancellationToken);
        disk.Fill(leave: 12 * 4096);
        await PushAsync(service, Ledger.Create([room, other], 10));
        await PushAsync(service, Ledger.Create([room, other], 10));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains("Files of", StringComparison.Ordinal));
        disk.Clear();
        await _ledger.WaitUntilLoggedAsync(service.Logs);
        _ledger.AssertComplete(service.Logs, "disk full", "a small tmpfs, and a record to be repaired", 1);
    }

    [Fact]
    public async Task The_link_of_an_alias_is_created_as_soon_as_the_disk_has_space()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"], files: 400);
        var room = Some.RoomId();
        var homeserver = new StubHomeserver().WithoutAliases().AliasesOf(room);
        using var service = new ServiceUnderTest(folder: folder, homeserver: homeserver) { Bounds = Unbounded };
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
    public async Task A_service_started_on_a_full_disk_loses_nothing_and_catches_up_when_there_is_space(string shortage, string damage)
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
                using (var before = new ServiceUnderTest(new FakeTimeProvider(DateTimeOffset.UtcNow), folder) { Bounds = Unbounded })
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
            using var service = new ServiceUnderTest(folder: folder)
            {
                Bounds = Unbounded,
                IsWriterStalled = true,
                MaxRetryDelay = TimeSpan.FromSeconds(1),
            };
            var transaction = Ledger.Create([.. rooms, Some.RoomId()], 2000);
            await service.PushAsync("1", transaction.Json);
            await Wait.UntilAsync(
                () => service.WarningsAndErrors.Any(line => line.Contains(NoSpace) && line.Contains(service.Logs))
                    || rooms.All(room => LogFolder.HasLogged(service.Logs, room, [transaction.Events[rooms.IndexOf(room)].Id])),
                "an error, or what a repair removed was enough");
            disk.Clear();
            await PushAsync(service, transaction);
            await _ledger.WaitUntilLoggedAsync(service.Logs);
        }

        _ledger.AssertComplete(folder["logs"], "disk full at the start", $"a small tmpfs with {shortage}, and files {damage}", rounds);
    }

    private const string NoSpace = "No space left on device";

    private static void Unbounded(Admission bounds)
    {
        bounds.MinFreeBytes = 0;
        bounds.MinFreeInodes = 0;
    }

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
