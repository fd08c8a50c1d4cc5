using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Checkpoints fsync the files and retire journal segments; a file whose fsync fails is rebuilt from the journal.</summary>
public class CheckpointTests
{
    [Fact]
    public async Task A_file_whose_fsync_fails_is_rebuilt_from_the_journal()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var record = MakeFsyncFail(service, room);
        var pushed = await File.ReadAllTextAsync(record + ".kept", TestContext.Current.CancellationToken);

        await UntilJournalIsEmptyAsync(service, time);

        Assert.Null(new FileInfo(record).LinkTarget);
        Assert.Equal(pushed, await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains("rebuilt from the journal", StringComparison.Ordinal));

        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "and on"))).Status);
        Assert.Equal(2, service.Record(room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task After_a_failed_fsync_a_later_success_is_not_relied_on()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var record = MakeFsyncFail(service, room);
        var pushed = await File.ReadAllTextAsync(record + ".kept", TestContext.Current.CancellationToken);

        // A folder in place of the temporary file prevents the rebuild.
        Directory.CreateDirectory(Path.Combine(record + ".new", "full"));
        await Wait.UntilAsync(
            () => service.WarningsAndErrors.Any(line => line.Contains("Checkpoint failed", StringComparison.Ordinal)),
            "the failure is logged",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.NotEmpty(LogFolder.Segments(service.Logs));

        // From now on an fsync would succeed, but the file lacks the acknowledged event.
        File.Delete(record);
        await File.WriteAllTextAsync(record, "", TestContext.Current.CancellationToken);
        Directory.Delete(record + ".new", recursive: true);
        await UntilJournalIsEmptyAsync(service, time);

        Assert.Equal(pushed, await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_retired_segment_is_zeroed_and_recycled()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var killed = TempFolder.ForCaller();
        var room = Some.RoomId();
        using (var service = new ServiceUnderTest(time))
        {
            var events = Enumerable.Range(0, 500).Select(i => Some.Message(room, $"message {i}"));
            Assert.Equal(200, (await service.PushAsync("1", events)).Status);
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
        var lines = await File.ReadAllLinesAsync(text, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(text, lines[..500], TestContext.Current.CancellationToken);
        using var again = new ServiceUnderTest(time, folder: killed);
        Assert.Equal(200, (await again.PushAsync("3", Some.Message(room, "the last"))).Status);
        Assert.Equal(502, again.Record(room).Count);
        Assert.EndsWith("> one more", again.Lines(room)[500], StringComparison.Ordinal);
        LogFolder.AssertLineForLine(again.Logs);
    }

    [Fact]
    public async Task A_foreign_file_in_place_of_the_spare_segment_is_not_recycled()
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

    private static Task UntilJournalIsEmptyAsync(ServiceUnderTest service, FakeTimeProvider time) => Wait.UntilAsync(
        () => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));

    /// <summary>Replaces the record by a link to <c>/dev/null</c>, whose fsync fails. The content is in <c>.kept</c>.</summary>
    private static string MakeFsyncFail(ServiceUnderTest service, string room)
    {
        var record = Path.Combine(service.Logs, room, "20261123.jsonl");
        File.Move(record, record + ".kept");
        File.CreateSymbolicLink(record, "/dev/null");
        return record;
    }
}
