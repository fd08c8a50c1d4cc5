using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Checkpoints sync the rooms' files and drop the journal's segments, which are recycled.</summary>
public class CheckpointTests
{
    [Fact]
    public async Task A_copy_in_place_of_a_record_is_synced_before_the_journal_is_emptied()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var record = Path.Combine(service.Logs, room, "20261123.jsonl");
        File.Copy(record, record + ".copy");
        File.Move(record + ".copy", record, overwrite: true);
        Assert.Empty(service.WarningsAndErrors);

        // The open file is synced, but it isn't the one that a reader finds: the room is repaired first.
        await UntilJournalIsEmptyAsync(service, time);
        Assert.Equal($"Files of \"{room}\" changed on disk; repairing them", Assert.Single(service.WarningsAndErrors));

        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "and on"))).Status);
        Assert.Equal(["<@alice:localhost> hello", "<@alice:localhost> and on"], service.Lines(room));
        Assert.Equal(2, service.Record(room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task A_device_in_place_of_a_record_is_not_synced_and_the_journal_keeps_its_events()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        var room = Some.RoomId();
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"))).Status);
        var record = Path.Combine(service.Logs, room, "20261123.jsonl");
        var pushed = await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken);
        File.Delete(record);
        File.CreateSymbolicLink(record, "/dev/null");

        // The journal drops its segment: the room's events are parked.
        await UntilJournalIsEmptyAsync(service, time);
        Assert.NotEmpty(LogFolder.ParkedSegments(service.Logs, room));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains($"{record} is not a regular file", StringComparison.Ordinal));
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "and on"))).Status);

        File.Delete(record);
        await Wait.UntilAsync(
            () => File.Exists(record) && service.Record(room).Count == 2,
            "the room is written again",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.StartsWith(pushed, await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await Wait.UntilAsync(() => LogFolder.ParkedSegments(service.Logs, room).Length == 0, "the parked segments are dropped");
        LogFolder.AssertLineForLine(service.Logs);
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
            await Wait.UntilAsync(() => File.ReadAllBytes(spare).AsSpan().SequenceEqual(new byte[first]), "the spare segment is zeroed");
            LoggingService.Files.Posix.Sync(spare);

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
        var foreign = Enumerable.Repeat((byte)1, 100_000).ToArray();
        await File.WriteAllBytesAsync(spare, foreign, TestContext.Current.CancellationToken);

        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "and on"))).Status);
        Assert.InRange(new FileInfo(Assert.Single(LogFolder.Segments(service.Logs))).Length, 1, 10_000);
        Assert.True(File.Exists(spare));
        Assert.Equal(foreign, await File.ReadAllBytesAsync(spare, TestContext.Current.CancellationToken));
    }

    private static Task UntilJournalIsEmptyAsync(ServiceUnderTest service, FakeTimeProvider time) => Wait.UntilAsync(
        () => LogFolder.Segments(service.Logs).Length == 0, "the journal is empty", () => time.Advance(TimeSpan.FromSeconds(1)));
}
