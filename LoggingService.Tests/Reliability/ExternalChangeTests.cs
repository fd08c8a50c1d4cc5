using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Other programs delete, move, truncate and edit files that the service has open, and the service is killed in addition: apart
/// from what they removed, no event is lost or duplicated.
/// </summary>
public class ExternalChangeTests
{
    private const string Fault = "files changed externally";
    private readonly Random _random = new(20261124);
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    private readonly AcknowledgedEvents _acknowledged = new();
    private int _transactions;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_change_of_open_files_loses_no_event_that_is_acknowledged_later(bool isKilled)
    {
        var rounds = Trial.Scale(1, 20);
        for (var round = 0; round < rounds; round++)
            await ChangeEachAsync(isKilled, areClosed: false);

        var method = $"each of {ExternalChanges.All.Count} ways{(isKilled ? ", and SIGKILL before the next transaction" : "")}";
        _acknowledged.AssertComplete(Fault, method, rounds * ExternalChanges.All.Count);
    }

    [Fact]
    public async Task Changes_of_closed_files_with_events_in_the_journal_and_a_kill_lose_no_event()
    {
        var rounds = Trial.Scale(1, 10);
        for (var round = 0; round < rounds; round++)
            await ChangeEachAsync(isKilled: false, areClosed: true);

        var method = $"each of {ExternalChanges.All.Count} ways, closed in favour of 1,000 other rooms, then SIGKILL";
        _acknowledged.AssertComplete(Fault, method, rounds * ExternalChanges.All.Count);
    }

    [Fact]
    public async Task An_externally_changed_journal_is_not_relied_on_after_a_power_cut()
    {
        string[] changes = ["deleted", "cut to nothing", "cut somewhere", "lengthened by a line", "renamed", "folder removed"];
        var rounds = Trial.Scale(1, 20);
        foreach (var change in Enumerable.Repeat(changes, rounds).SelectMany(all => all))
        {
            using var folder = TempFolder.ForCaller();
            using var second = TempFolder.ForCaller();
            string[] rooms = [Some.RoomId(), Some.RoomId()];
            using (var service = new ServiceUnderTest(_time, folder) { RepairInterval = TimeSpan.Zero })
            {
                for (var i = 0; i < 3; i++)
                    await PushAsync(service, rooms);
                var segment = Assert.Single(LogFolder.Segments(service.Logs));
                if (change == "folder removed")
                    Directory.Delete(Path.GetDirectoryName(segment)!, recursive: true);
                else
                    ExternalChanges.ApplyToFile(change, segment, "rubbish", _random);

                // The power cut loses the rooms' files from here on, but not the journal.
                LogFolder.Copy(service.Logs, second["logs"]);
                await PushAsync(service, rooms);
                if (Directory.Exists(second["logs", ".journal"]))
                    Directory.Delete(second["logs", ".journal"], recursive: true);
                LogFolder.Copy(Path.Combine(service.Logs, ".journal"), second["logs", ".journal"]);
            }

            using var restarted = new ServiceUnderTest(_time, second) { RepairInterval = TimeSpan.Zero };
            await PushAsync(restarted, rooms);
            foreach (var room in rooms)
                _acknowledged.Check(restarted.Logs, room, $"journal {change}");
        }

        _acknowledged.AssertComplete(Fault, "a segment or the folder of the journal, then a power cut", rounds * changes.Length);
    }

    /// <summary>Some events of each room are synced and some in the journal only; then each room is changed in a different way.</summary>
    private async Task ChangeEachAsync(bool isKilled, bool areClosed)
    {
        using var folder = TempFolder.ForCaller();
        using var second = TempFolder.ForCaller();
        using var third = TempFolder.ForCaller();
        using var disks = areClosed
            ? new Disks([await MountAsync(folder), await MountAsync(second), await MountAsync(third)])
            : null;
        var rooms = ExternalChanges.All.ToDictionary(_ => Some.RoomId());
        using (var service = new ServiceUnderTest(_time, folder) { RepairInterval = TimeSpan.Zero })
        {
            for (var i = 0; i < 8; i++)
            {
                await PushAsync(service, rooms.Keys);
                if (i == 3)
                {
                    await Wait.UntilAsync(
                        () => LogFolder.Segments(service.Logs).Length == 0,
                        "the journal is empty",
                        () => _time.Advance(TimeSpan.FromSeconds(1)));
                }
            }

            foreach (var others in Enumerable.Range(0, areClosed ? 1000 : 0).Select(_ => Some.RoomId()).Chunk(250))
                await PushUntilAcceptedAsync(service, [.. others.Select(room => Some.Message(room))]);
            _acknowledged.DuringChange(service.Logs, () => ApplyAll(rooms, service.Logs));
            if (!isKilled)
                await PushAndCheckAsync(service, rooms);
            LogFolder.Copy(service.Logs, second["logs"]);
        }

        using (var service = new ServiceUnderTest(_time, second) { RepairInterval = TimeSpan.Zero })
        {
            await PushAndCheckAsync(service, rooms);
            LogFolder.Copy(service.Logs, third["logs"]);
        }

        using var last = new ServiceUnderTest(_time, third) { RepairInterval = TimeSpan.Zero };
        await PushAndCheckAsync(last, rooms);
    }

    private void ApplyAll(Dictionary<string, string> changeByRoom, string logs)
    {
        foreach (var (room, change) in changeByRoom)
            ExternalChanges.Apply(change, logs, room, _random);
    }

    // In memory: syncing 2,000 files to a disk takes too long.
    private static Task<SmallDisk> MountAsync(TempFolder folder) => SmallDisk.MountAsync(folder.Path, "200m");

    private sealed class Disks(SmallDisk[] disks) : IDisposable
    {
        public void Dispose() => Array.ForEach(disks, disk => disk.Dispose());
    }

    private async Task PushAndCheckAsync(ServiceUnderTest service, Dictionary<string, string> rooms)
    {
        await PushAsync(service, rooms.Keys);
        foreach (var (room, change) in rooms)
            _acknowledged.Check(service.Logs, room, change);
    }

    private async Task PushAsync(ServiceUnderTest service, IEnumerable<string> rooms)
    {
        var ids = rooms.Select(room => (Room: room, Id: Some.EventId())).ToList();
        var events = ids.Select(e => Some.Message(e.Room, $"message {e.Id} {new string('x', _random.Next(200))}", e.Id)).ToList();
        await PushUntilAcceptedAsync(service, events);
        ids.ForEach(e => _acknowledged.Add(e.Room, e.Id));
    }

    private Task PushUntilAcceptedAsync(ServiceUnderTest service, List<string> events)
    {
        _transactions++;
        return service.PushUntilAcceptedAsync($"t{_transactions}", events);
    }
}
