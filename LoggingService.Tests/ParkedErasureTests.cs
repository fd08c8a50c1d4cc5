using System.Text;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>Erasures of entries that wait for a room whose files can't be written.</summary>
public class ParkedErasureTests : ErasureTestBase
{
    [Fact]
    public async Task Parked_segments_are_replaced_one_by_one_in_their_order()
    {
        using var service = Start();
        await ParkAsync(service, segments: 3);
        var before = LogFolder.ParkedSegments(Logs, Room);
        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Logs, Secret));
        Assert.Equal(before, LogFolder.ParkedSegments(Logs, Room));

        File.Delete(Path.Combine(Logs, Room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.log")), "the room is written");
        await service.CaughtUpAsync();
        Assert.Equal(
            [$"<{Alice}, erased>", $"<{Bob}> 0", $"<{Alice}, erased>", $"<{Bob}> 1", $"<{Alice}, erased>", $"<{Bob}> 2"],
            AllLines(Room, "log"));
    }

    [Fact]
    public async Task Parked_entries_are_rewritten_while_other_rooms_are_logged()
    {
        using var service = Start();
        await ParkAsync(service, segments: 1);
        using var go = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        var rewriting = service.Services.GetRequiredService<LogDirectory>().Rewriting.RewriteParkedAsync(Room, Rewrite);
        Assert.True(started.Wait(Wait.Limit, TestContext.Current.CancellationToken));
        await PushAsync(service, Event("$other", Other, Bob, "m.room.message", Text("meanwhile")));
        Assert.Equal([$"<{Bob}> meanwhile"], AllLines(Other, "log"));
        await service.CheckpointAsync();
        go.Set();
        await rewriting;

        JournalEntry Rewrite(JournalEntry entry)
        {
            started.Set();
            Assert.True(go.Wait(3 * Wait.Limit));
            return entry;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Parked_entries_that_are_written_while_they_are_rewritten_do_not_fail_the_erasure(bool isParkedAgain)
    {
        using var service = Start();
        var rewritten = new List<string>();
        await ParkAsync(service, segments: 1);
        using var go = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        var rewriting = service.Services.GetRequiredService<LogDirectory>().Rewriting.RewriteParkedAsync(Room, Rewrite);
        Assert.True(started.Wait(Wait.Limit, TestContext.Current.CancellationToken));
        File.Delete(Path.Combine(Logs, Room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.log")), "the room is written");
        await service.CaughtUpAsync();
        await Wait.UntilAsync(
            async () =>
            {
                await service.CheckpointAsync();
                return LogFolder.ParkedSegments(Logs, Room).Length == 0;
            },
            "what was parked is dropped, with its folder");
        if (isParkedAgain)
        {
            Directory.Move(Path.Combine(Logs, Room), Path.Combine(Logs, "away"));
            await File.WriteAllTextAsync(Path.Combine(Logs, Room), "", TestContext.Current.CancellationToken);
            await PushAsync(service, Event("$again", Room, Alice, "m.room.message", Text("once more")));
            await service.CheckpointAsync();
            Assert.NotEmpty(LogFolder.ParkedSegments(Logs, Room));
        }

        go.Set();
        await rewriting;
        Assert.Equal(isParkedAgain, rewritten.Exists(entry => entry.Contains("$again", StringComparison.Ordinal)));

        JournalEntry? Rewrite(JournalEntry entry)
        {
            rewritten.Add(Encoding.UTF8.GetString(entry.Bytes.Span));

            // The last one: nothing of the segment is read after it.
            if (entry.Bytes.Span.IndexOf("$kept0"u8) < 0)
                return entry;
            started.Set();
            Assert.True(go.Wait(3 * Wait.Limit));
            return entry with { Event = null };
        }
    }

    /// <summary>Puts a file in place of the room's folder, and lets each of several checkpoints copy its entries.</summary>
    private async Task ParkAsync(ServiceUnderTest service, int segments)
    {
        Directory.CreateDirectory(Logs);
        await File.WriteAllTextAsync(Path.Combine(Logs, Room), "", TestContext.Current.CancellationToken);
        for (var i = 0; i < segments; i++)
        {
            await PushAsync(
                service,
                Event($"$secret{i}", Room, Alice, "m.room.message", Text($"the {Secret} words")),
                Event($"$kept{i}", Room, Bob, "m.room.message", Text($"{i}")));
            await service.CheckpointAsync();
        }

        Assert.Equal(segments, LogFolder.ParkedSegments(Logs, Room).Length);
    }
}
