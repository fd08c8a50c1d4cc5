using System.Diagnostics;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>A room whose files can't be written: the others are logged, and its events wait until its files work again.</summary>
public class ParkingTests
{
    private readonly FakeTimeProvider _time = new(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly Ledger _ledger = new();
    private readonly string _room = Some.RoomId();
    private readonly string _other = Some.RoomId();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_events_of_a_parked_room_survive_checkpoints_that_empty_the_journal(bool isKilled)
    {
        using var folder = TempFolder.ForCaller();
        using var killed = TempFolder.ForCaller();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            using var service = new ServiceUnderTest(_time, folder) { MaxRetryDelay = TimeSpan.FromSeconds(1) };
            await PushAsync(service, _room, _other);
            var room = Path.Combine(service.Logs, _room);
            Directory.Move(room, room + ".away");
            await File.WriteAllTextAsync(room, "", TestContext.Current.CancellationToken);

            // Each checkpoint copies what came since the last one.
            for (var copies = 1; copies <= 3; copies++)
            {
                await PushAsync(service, _room, _other);
                await PushAsync(service, _room);
                Assert.Equal((round * 4) + copies + 1, service.Record(_other).Count);
                await Wait.UntilAsync(
                    () => LogFolder.ParkedSegments(service.Logs, _room).Length == copies && LogFolder.Segments(service.Logs).Length == 0,
                    $"{copies} parked segments",
                    () => _time.Advance(TimeSpan.FromSeconds(1)));
            }

            Assert.Empty(LogFolder.ParkedSegments(service.Logs, _other));
            Assert.Single(service.WarningsAndErrors, line =>
                line.StartsWith($"Failed to write the log of \"{_room}\"", StringComparison.Ordinal));
            await PushAsync(service, _room, _other);
            File.Delete(room);
            Directory.Move(room + ".away", room);
            if (isKilled)
            {
                LogFolder.Copy(service.Logs, killed["logs"]);
                using var restarted = new ServiceUnderTest(_time, killed);
                await PushAsync(restarted, _room, _other);
                await AssertUnparkedAsync(restarted);
                break;
            }

            await AssertUnparkedAsync(service);
        }

        var logs = isKilled ? killed["logs"] : folder["logs"];
        var method = $"a file in place of its folder, checkpoints{(isKilled ? ", a kill" : "")}";
        _ledger.AssertComplete(logs, "a room can't be written", method, rounds);
    }

    [Fact]
    public async Task A_named_pipe_in_place_of_a_record_parks_its_room_only()
    {
        using var service = new ServiceUnderTest { MaxRetryDelay = TimeSpan.FromSeconds(1) };
        var rounds = Trial.Scale(2, 10);
        for (var round = 0; round < rounds; round++)
        {
            var room = Some.RoomId();
            var fresh = Some.RoomId();
            await PushAsync(service, room, _other);
            var record = Directory.GetFiles(Path.Combine(service.Logs, room), "2*.jsonl").Single();
            File.Move(record, record + ".away");
            var freshRecord = Path.Combine(service.Logs, fresh, Path.GetFileName(record));
            Directory.CreateDirectory(Path.GetDirectoryName(freshRecord)!);
            foreach (var pipe in new[] { record, freshRecord })
            {
                Assert.Equal(0, (await ChildProcess.RunAsync("mkfifo", [pipe], TestContext.Current.CancellationToken)).ExitCode);
            }

            for (var i = 0; i < 3; i++)
            {
                await PushAsync(service, room, fresh, _other);
            }

            Assert.Equal((round + 1) * 4, service.Record(_other).Count);
            foreach (var pipe in new[] { record, freshRecord })
            {
                Assert.Contains(
                    service.WarningsAndErrors, line => line.Contains($"{pipe} is not a regular file", StringComparison.Ordinal));
                File.Delete(pipe);
            }

            File.Move(record + ".away", record);
            await _ledger.WaitUntilLoggedAsync(service.Logs);
        }

        _ledger.AssertComplete(service.Logs, "a room can't be written", "a named pipe in place of its record", rounds);
    }

    [Fact]
    public async Task A_room_whose_files_take_long_to_open_delays_no_other()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver);
        await PushAsync(service, _other);
        var record = folder["logs", _room, $"{DateTime.Now:yyyyMMdd}.jsonl"];
        await using (await SyscallFaults.InjectAsync(service.Process.Id, "?open,openat", "delay_enter=12000000", record))
        {
            var slow = await PushAsync(service, _room);
            var other = await PushAsync(service, _other);
            await Ledger.WaitUntilLoggedAsync(service.Logs, other);
            Assert.Equal([0], Ledger.CountEvents(service.Logs, slow));
            await service.Process.WaitForLineAsync($"The log of {_room} takes more than 10 s to open");
            await PushAsync(service, _room, _other);
        }

        await _ledger.WaitUntilLoggedAsync(service.Logs);
        Assert.Equal(0, await service.Process.StopAsync());
        _ledger.AssertComplete(service.Logs, "a room can't be written", "strace: each open of its record takes 12 s", 1);
    }

    [Fact]
    public async Task Events_that_wait_for_a_log_to_be_opened_stay_in_the_journal_and_are_copied_only_where_they_must_leave_it()
    {
        using var service = new ServiceUnderTest(_time);
        await PushAsync(service, _room, _other);
        var logs = service.Services.GetRequiredService<LogDirectory>();
        using var isOpened = new ManualResetEventSlim();
        var watch = Stopwatch.StartNew();
        var opening = logs.Rewriting.RunAsync(_room, () => isOpened.Wait(3 * Wait.Limit));
        service.IsWriterStalled = true;
        await PushAsync(service, _room, _other);

        // Each checkpoint ends a segment. Behind the second one, the first is complete.
        await Wait.UntilAsync(
            async () =>
            {
                await PushAsync(service, _other);
                _time.Advance(TimeSpan.FromSeconds(30));
                return LogFolder.Segments(service.Logs).Length >= 3;
            },
            "two checkpoints");
        var parked = LogFolder.ParkedSegments(service.Logs, _room);

        // After 10 s the work counts as hung.
        Assert.True(parked.Length == 0 || watch.Elapsed > TimeSpan.FromSeconds(9));

        // As before an erasure.
        Assert.True(await logs.EmptyJournalAsync());
        Assert.NotEmpty(LogFolder.ParkedSegments(service.Logs, _room));
        Assert.Empty(LogFolder.Segments(service.Logs));
        Assert.Empty(LogFolder.ParkedSegments(service.Logs, _other));

        isOpened.Set();
        Assert.True(await opening);
        await AssertUnparkedAsync(service);
        _ledger.AssertComplete(service.Logs, "a room can't be written", "its log takes long to open, checkpoints", 1);
    }

    private async Task AssertUnparkedAsync(ServiceUnderTest service)
    {
        await _ledger.WaitUntilLoggedAsync(service.Logs);
        await Wait.UntilAsync(() => LogFolder.ParkedSegments(service.Logs, _room).Length == 0, "the parked segments are dropped");
        var ids = LogFolder.EventIds(service.Logs, _room);
        Assert.Equal(ids.OrderBy(id => int.Parse(id[6..], System.Globalization.CultureInfo.InvariantCulture)), ids);
    }

    private async Task PushAsync(ServiceUnderTest service, params string[] rooms)
    {
        var transaction = Ledger.Create(rooms);
        Assert.Equal(200, (await service.PushAsync("1", transaction.Json)).Status);
        _ledger.Acknowledge(transaction);
    }

    private async Task<Ledger.Transaction> PushAsync(RunningService service, params string[] rooms)
    {
        var transaction = Ledger.Create(rooms);
        Assert.Equal(200, await service.PushAsync(transaction.Json));
        _ledger.Acknowledge(transaction);
        return transaction;
    }
}
