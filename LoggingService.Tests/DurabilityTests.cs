using LoggingService.Options;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>The journal is emptied when the service is idle and when it stops; the log directory has one writer.</summary>
public class DurabilityTests
{
    [Fact]
    public async Task A_clean_stop_leaves_an_empty_journal_and_the_next_start_replays_nothing()
    {
        using var folder = TempFolder.ForCaller();
        var room = Some.RoomId();
        using (var service = new ServiceUnderTest(folder: folder))
        {
            Assert.Equal(200, (await service.PushAsync("1", Some.Message(room))).Status);
            Assert.Single(LogFolder.Segments(service.Logs));
        }

        Assert.Empty(LogFolder.Segments(folder["logs"]));
        using var again = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await again.PushAsync("2", Some.Message(room))).Status);
        Assert.DoesNotContain(again.Logged, e => e.RenderMessage().Contains("Journal replay completed"));
        Assert.Equal(2, again.Record(room).Count);
    }

    [Fact]
    public async Task The_journal_is_emptied_after_some_idle_seconds()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(Some.RoomId()))).Status);
        Assert.Single(LogFolder.Segments(service.Logs));
        await Wait.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return LogFolder.Segments(service.Logs).Length == 0;
            },
            "the journal is empty");
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(Some.RoomId()))).Status);
        Assert.Empty(service.WarningsAndErrors);
    }

    [Fact]
    public void A_second_service_on_the_same_folder_is_refused_with_the_process_id_of_the_first()
    {
        using var folder = TempFolder.ForCaller();
        using (Open(folder["logs"]))
        {
            var refused = Assert.Throws<FatalException>(() => Open(folder["logs"]));
            Assert.Contains($"process {Environment.ProcessId}", refused.Message);
        }

        Open(folder["logs"]).Dispose();
    }

    private static LogDirectory Open(string root) => new(root, TimeProvider.System, NullLogger<LogDirectory>.Instance);
}
