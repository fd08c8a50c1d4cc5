using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>A disk that doesn't take what was written: the journal keeps it until a file has it, made anew.</summary>
public class CheckpointTests
{
    [Fact]
    public async Task A_file_whose_sync_fails_is_made_anew_from_the_journal()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var record = FailToSync(service, room);
        var pushed = await File.ReadAllTextAsync(record + ".kept", TestContext.Current.CancellationToken);

        await Wait.UntilAsync(() => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));

        Assert.Null(new FileInfo(record).LinkTarget);
        Assert.Equal(pushed, await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains("rebuilt from the journal", StringComparison.Ordinal));

        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "and on"))).Status);
        Assert.Equal(2, service.Record(room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task A_sync_that_failed_is_not_believed_when_it_succeeds_later()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var record = FailToSync(service, room);
        var pushed = await File.ReadAllTextAsync(record + ".kept", TestContext.Current.CancellationToken);

        // It can't be made anew either: something is in the way.
        Directory.CreateDirectory(Path.Combine(record + ".new", "full"));
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(line => line.Contains("Checkpoint failed", StringComparison.Ordinal)), "the failure is told", () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.NotEmpty(LogFolder.Segments(service.Logs));

        // Now a sync would succeed, of a file that hasn't what was acknowledged.
        File.Delete(record);
        await File.WriteAllTextAsync(record, "", TestContext.Current.CancellationToken);
        Directory.Delete(record + ".new", recursive: true);
        await Wait.UntilAsync(() => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal(pushed, await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_segment_of_the_journal_that_is_done_with_is_cleared_and_written_again()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var killed = TempFolder.ForCaller();
        var room = Some.RoomId();
        using (var service = new ServiceUnderTest(time))
        {
            Assert.Equal(200, (await service.PushAsync("1", [.. Enumerable.Range(0, 500).Select(i => Some.Message(room, $"message {i}"))])).Status);
            var first = new FileInfo(Assert.Single(LogFolder.Segments(service.Logs))).Length;
            var spare = LogFolder.Spare(service.Logs);
            await Wait.UntilAsync(() => File.Exists(spare), "a spare segment", () => time.Advance(TimeSpan.FromSeconds(1)));
            Assert.Empty(LogFolder.Segments(service.Logs));
            Assert.Equal(new byte[first], await File.ReadAllBytesAsync(spare, TestContext.Current.CancellationToken));

            Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "one more"))).Status);
            Assert.Equal(first, new FileInfo(Assert.Single(LogFolder.Segments(service.Logs))).Length);
            Assert.False(File.Exists(spare));
            LogFolder.Copy(service.Logs, killed["logs"]);
        }

        var text = Path.Combine(killed["logs"], room, "20261123.log");
        await File.WriteAllLinesAsync(text, (await File.ReadAllLinesAsync(text, TestContext.Current.CancellationToken))[..500], TestContext.Current.CancellationToken);
        using var again = new ServiceUnderTest(time, folder: killed);
        Assert.Equal(200, (await again.PushAsync("3", Some.Message(room, "the last"))).Status);
        Assert.Equal(502, again.Record(room).Count);
        Assert.EndsWith("> one more", again.Lines(room)[500], StringComparison.Ordinal);
        LogFolder.AssertLineForLine(again.Logs);
    }

    [Fact]
    public async Task A_spare_segment_that_somebody_else_put_there_is_left_alone()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var spare = LogFolder.Spare(service.Logs);
        await Wait.UntilAsync(() => File.Exists(spare), "a spare segment", () => time.Advance(TimeSpan.FromSeconds(1)));
        File.Delete(spare);
        await File.WriteAllBytesAsync(spare, new byte[100_000], TestContext.Current.CancellationToken);

        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "and on"))).Status);
        Assert.InRange(new FileInfo(Assert.Single(LogFolder.Segments(service.Logs))).Length, 1, 10_000);
        Assert.True(File.Exists(spare));
    }

    /// <summary>Makes the record one that can't be synced, as <c>/dev/null</c> can't; what it had is kept beside it.</summary>
    private static string FailToSync(ServiceUnderTest service, string room)
    {
        var record = Path.Combine(service.Logs, room, "20261123.jsonl");
        File.Move(record, record + ".kept");
        File.CreateSymbolicLink(record, "/dev/null");
        return record;
    }
}
