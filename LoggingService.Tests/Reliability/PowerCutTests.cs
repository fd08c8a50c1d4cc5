using System.Globalization;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A power cut: what was not synced is gone, or there in part. strace records what a service really does to its disk and
/// when it answers; the folder is rebuilt as a cut after each of those calls could leave it, and the service starts on it.
/// </summary>
public class PowerCutTests
{
    [Fact]
    public async Task A_power_cut_at_any_moment_leaves_every_acknowledged_event_there_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var story = 0; story < Trial.Scale(1, 2); story++)
        {
            cuts.StartOver();

            // A first start, and a kill in the middle of the traffic.
            await cuts.RunAsync([], async (service, url) =>
            {
                var sending = PowerCutTraffic.SendAsync(service, url, cuts.Traffic.Make(12), cuts.Traffic.Make(12));
                await Wait.UntilAsync(() => sending.IsCompleted || Random.Shared.Next(100) == 0, "a random moment");
                await service.KillAsync();
                await sending;
            });

            // Recovery, what is sent again, a checkpoint on a slow disk with traffic beside it, and a stop.
            await cuts.RunAsync(["--inject=fsync:delay_exit=10000"], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Make(6)], cuts.Traffic.Make(6));
                await WaitForCheckpointAsync(cuts);
                await PowerCutTraffic.SendAsync(service, url, cuts.Traffic.Make(4), cuts.Traffic.Make(4));

                // A segment is written again.
                await Wait.UntilAsync(() => File.Exists(LogFolder.Spare(cuts.Logs)), "a spare segment");
                await PowerCutTraffic.SendAsync(service, url, cuts.Traffic.Make(4), cuts.Traffic.Make(4));
                Assert.Equal(0, await service.StopAsync());
            });
            Assert.Empty(LogFolder.Segments(cuts.Logs));
        }

        cuts.Conclude("power cut", "each call of a run: traffic, kill, recovery, checkpoint, stop");
    }

    [Fact]
    public async Task A_power_cut_after_a_kill_while_files_are_mended_leaves_every_acknowledged_event_there_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var syncs = 1; syncs <= Trial.Scale(2, 6); syncs++)
        {
            cuts.StartOver();
            await DamageAsync(cuts);
            await cuts.RunAsync([$"--inject=fsync:signal=KILL:when={syncs.ToString(CultureInfo.InvariantCulture)}"], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(service, url, [cuts.Traffic.Keep(cuts.Traffic.ToEachRoom()), .. cuts.Traffic.Make(3)]);
                await service.KillAsync();
            });
            await cuts.RunAsync([], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Make(3)]);
                await service.KillAsync();
            });
        }

        cuts.Conclude("power cut", "each call of a run that was killed in its mending, and of the next");
    }

    [Fact]
    public async Task A_second_power_cut_in_the_recovery_from_the_first_leaves_every_acknowledged_event_there_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var story = 0; story < Trial.Scale(1, 4); story++)
        {
            if (story % 3 == 0)
                cuts.StartOver();
            await cuts.RunAsync([], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Make(6)], cuts.Traffic.Make(6));
                await service.KillAsync();
            }, isTried: false);
            cuts.Cut();
            await cuts.RunAsync([], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Make(3)], cuts.Traffic.Make(3));
                await service.KillAsync();
            });
        }

        cuts.Conclude("power cut", "each call of a run that begins with what a power cut left");
    }

    /// <summary>Logs that somebody has damaged long ago in all ways that are mended when a room is opened.</summary>
    private static async Task DamageAsync(PowerCutSimulation cuts)
    {
        using (var logs = new LogDirectory(cuts.Logs, TimeProvider.System, NullLogger<LogDirectory>.Instance))
        {
            Assert.True(await logs.TryRecoverAsync());
            foreach (var pushed in cuts.Traffic.Make(4).Append(cuts.Traffic.Keep(cuts.Traffic.ToEachRoom())))
            {
                await PowerCutSimulation.CommitAsync(logs, pushed);
                cuts.Traffic.Received.Add(pushed.Id);
                cuts.Traffic.Acknowledged.Add(pushed.Id);
            }

            await logs.CheckpointAsync(TestContext.Current.CancellationToken);
        }

        foreach (var (room, index) in cuts.Traffic.Rooms.Select((room, index) => (room, index)))
        {
            var record = Directory.GetFiles(Path.Combine(cuts.Logs, room), "*.jsonl")[^1];
            var text = Path.ChangeExtension(record, ".log");
            switch (index % 5)
            {
                case 0: File.WriteAllText(record, File.ReadAllText(record).TrimEnd('\n')); break;
                case 1: File.WriteAllLines(text, File.ReadAllLines(text)[..1]); break;
                case 2: File.AppendAllText(record, "{\"event_id\":\"$torn"); break;
                case 3: File.AppendAllText(text, "2026-11-23 12:00:00 +00:00 <@al"); break;
                default: File.AppendAllText(text, "somebody's note\n"); break;
            }
        }

        cuts.TakeForDurable();
    }

    private static async Task WaitForCheckpointAsync(PowerCutSimulation cuts)
    {
        var before = cuts.Syncs();
        await Wait.UntilAsync(() => cuts.Syncs() > before, "an idle service began a checkpoint");
    }
}
