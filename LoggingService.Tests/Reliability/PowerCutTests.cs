using System.Globalization;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Power cuts: unsynced data is lost completely or partly. strace records the system calls of a real service and its
/// responses. For each call, the folder is rebuilt as a cut after that call could leave it, and the service starts on it.
/// </summary>
public class PowerCutTests
{
    [Fact]
    public async Task A_power_cut_at_any_moment_leaves_every_acknowledged_event_logged_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var scenario = 0; scenario < Trial.Scale(1, 2); scenario++)
        {
            cuts.StartOver();

            // A first start, and a kill during traffic.
            await cuts.RunAsync([], async (service, url) =>
            {
                var sending = PowerCutTraffic.SendAsync(service, url, cuts.Traffic.Create(12), cuts.Traffic.Create(12));
                await Wait.UntilAsync(() => sending.IsCompleted || Random.Shared.Next(100) == 0, "a random moment");
                await service.KillAsync();
                await sending;
            });

            // Replay, resends, a checkpoint on a slow disk with concurrent traffic, and a stop.
            await cuts.RunAsync(["--inject=fsync,fdatasync:delay_exit=10000"], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(
                    service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Create(6)], cuts.Traffic.Create(6));
                await WaitForCheckpointAsync(cuts);
                await PowerCutTraffic.SendAsync(service, url, cuts.Traffic.Create(4), cuts.Traffic.Create(4));

                // A segment is reused.
                await Wait.UntilAsync(() => File.Exists(LogFolder.Spare(cuts.Logs)), "a spare segment");
                await PowerCutTraffic.SendAsync(service, url, cuts.Traffic.Create(4), cuts.Traffic.Create(4));
                Assert.Equal(0, await service.StopAsync());
            });
            Assert.Empty(LogFolder.Segments(cuts.Logs));
        }

        cuts.Report("power cut", "each call of a run: traffic, kill, recovery, checkpoint, stop");
    }

    [Fact]
    public async Task A_power_cut_after_a_kill_during_repair_leaves_every_acknowledged_event_logged_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var syncs = 1; syncs <= Trial.Scale(2, 6); syncs++)
        {
            cuts.StartOver();
            await DamageAsync(cuts);
            var when = syncs.ToString(CultureInfo.InvariantCulture);
            await cuts.RunAsync([$"--inject=fsync,fdatasync:signal=KILL:when={when}"], async (service, url) =>
            {
                var first = cuts.Traffic.Add(cuts.Traffic.CreateForEachRoom());
                await PowerCutTraffic.SendAsync(service, url, [first, .. cuts.Traffic.Create(3)]);
                await service.KillAsync();
            });
            await cuts.RunAsync([], async (service, url) =>
            {
                await PowerCutTraffic.SendAsync(service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Create(3)]);
                await service.KillAsync();
            });
        }

        cuts.Report("power cut", "each call of a run killed during a repair, and of the next run");
    }

    [Fact]
    public async Task Further_power_cuts_during_the_repairs_leave_every_acknowledged_event_logged_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var scenario = 0; scenario < Trial.Scale(1, 3); scenario++)
        {
            cuts.StartOver();
            for (var cut = 0; cut < Trial.Scale(3, 4); cut++)
            {
                await cuts.RunAsync([], async (service, url) =>
                {
                    await PowerCutTraffic.SendAsync(
                        service, url, [.. cuts.Traffic.Unacknowledged(), .. cuts.Traffic.Create(4)], cuts.Traffic.Create(4));
                    await service.KillAsync();
                }, isTested: cut > 0);
                cuts.Cut();
            }
        }

        cuts.Report("power cut", "each call of runs on the states after one, two and three power cuts");
    }

    [Fact]
    public async Task A_power_cut_while_a_room_is_parked_or_unparked_leaves_every_acknowledged_event_logged_once()
    {
        using var cuts = new PowerCutSimulation();
        for (var scenario = 0; scenario < Trial.Scale(1, 2); scenario++)
        {
            cuts.StartOver();
            var parked = cuts.Traffic.Rooms[..2];
            parked.ForEach(cuts.Obstruct);

            // Parked by the first checkpoint, then with newer events over a kill.
            await cuts.RunAsync([], async (service, url) =>
            {
                var first = cuts.Traffic.Add(cuts.Traffic.CreateForEachRoom());
                await PowerCutTraffic.SendAsync(service, url, [first, .. cuts.Traffic.Create(6)]);
                await Wait.UntilAsync(() => cuts.ParkedFolders().Length == parked.Count, "the rooms are parked");
                await SendToAllAsync(service, url);
                await service.KillAsync();
            });
            await cuts.RunAsync([], async (service, url) =>
            {
                await SendToAllAsync(service, url);
                await Wait.UntilAsync(
                    () => cuts.ParkedFolders().All(folder => File.Exists(Path.Combine(folder, "000002"))), "the rooms are parked again");
                await SendToAllAsync(service, url);
                await service.KillAsync();
            });

            // Unparked at the start, and dropped by the checkpoint that follows.
            cuts.RemoveObstacles();
            await cuts.RunAsync([], async (service, url) =>
            {
                await SendToAllAsync(service, url);
                await Wait.UntilAsync(() => cuts.ParkedFolders().Length == 0, "the parked segments are dropped");
                await SendToAllAsync(service, url);
                await service.KillAsync();
            });
        }

        cuts.Report("power cut", "each call of runs that park rooms, with newer events over kills, and of one that un-parks them");

        Task SendToAllAsync(ServiceProcess service, string url) =>
            PowerCutTraffic.SendAsync(service, url, [cuts.Traffic.Add(cuts.Traffic.CreateForEachRoom()), .. cuts.Traffic.Create(2)]);
    }

    /// <summary>Creates durable logs with all kinds of damage that are repaired when a room is opened.</summary>
    private static async Task DamageAsync(PowerCutSimulation cuts)
    {
        using (var logs = new LogDirectory(cuts.Logs, TimeProvider.System, NullLogger<LogDirectory>.Instance))
        {
            logs.Start();
            foreach (var transaction in cuts.Traffic.Create(4).Append(cuts.Traffic.Add(cuts.Traffic.CreateForEachRoom())))
            {
                await PowerCutSimulation.CommitAsync(logs, transaction);
                cuts.Traffic.Received.Add(transaction.Id);
                cuts.Traffic.Acknowledged.Add(transaction.Id);
            }

            await logs.StopAsync();
        }

        foreach (var (index, room) in cuts.Traffic.Rooms.Index())
        {
            var record = Directory.GetFiles(Path.Combine(cuts.Logs, room), "*.jsonl")[^1];
            var text = Path.ChangeExtension(record, ".log");
            switch (index % 5)
            {
                case 0: File.WriteAllText(record, File.ReadAllText(record).TrimEnd('\n')); break;
                case 1: File.WriteAllLines(text, File.ReadAllLines(text)[..1]); break;
                case 2: File.AppendAllText(record, "{\"event_id\":\"$torn"); break;
                case 3: File.AppendAllText(text, "2026-11-23 12:00:00 +00:00 <@al"); break;
                default: File.AppendAllText(text, "a note\n"); break;
            }
        }

        cuts.MarkDurable();
    }

    private static async Task WaitForCheckpointAsync(PowerCutSimulation cuts)
    {
        var before = cuts.CountSyncs();
        await Wait.UntilAsync(() => cuts.CountSyncs() > before, "the idle service has started a checkpoint");
    }
}
