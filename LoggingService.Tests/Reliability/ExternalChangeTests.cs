using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Others delete, move, cut and edit the files that the service has open, and it is killed on top: what they took away is
/// theirs; of the rest nothing is lost and nothing is there twice.
/// </summary>
public class ExternalChangeTests
{
    private const string Touched = "files touched by others";
    private readonly Random _random = new(20261124);
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    private readonly AcknowledgedEvents _acknowledged = new();
    private int _transactions;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_touch_of_open_files_is_noticed_before_the_next_200_and_by_who_recovers_them(bool isKilled)
    {
        var rounds = Trial.Scale(1, 20);
        for (var round = 0; round < rounds; round++)
            await TouchEachAsync(isKilled, areClosed: false);

        _acknowledged.AssertComplete(Touched, $"each of {ExternalChanges.All.Count} ways{(isKilled ? ", and SIGKILL before the next transaction" : "")}", rounds * ExternalChanges.All.Count);
    }

    [Fact]
    public async Task Files_that_were_closed_but_are_in_the_journal_are_touched_and_then_the_service_is_killed()
    {
        var rounds = Trial.Scale(1, 10);
        for (var round = 0; round < rounds; round++)
            await TouchEachAsync(isKilled: false, areClosed: true);

        _acknowledged.AssertComplete(Touched, $"each of {ExternalChanges.All.Count} ways, closed meanwhile for 1,000 other rooms, then SIGKILL", rounds * ExternalChanges.All.Count);
    }

    [Fact]
    public async Task A_journal_that_somebody_touched_is_not_relied_on_when_the_power_goes()
    {
        string[] ways = ["deleted", "cut to nothing", "cut somewhere", "lengthened by a line", "renamed", "folder removed"];
        var rounds = Trial.Scale(1, 20);
        foreach (var way in Enumerable.Repeat(ways, rounds).SelectMany(all => all))
        {
            using var folder = TempFolder.ForCaller();
            using var second = TempFolder.ForCaller();
            string[] rooms = [Some.RoomId(), Some.RoomId()];
            using (var service = new ServiceUnderTest(_time, folder))
            {
                for (var i = 0; i < 3; i++)
                    await PushAsync(service, rooms);
                var segment = Assert.Single(LogFolder.Segments(service.Logs));
                if (way == "folder removed")
                    Directory.Delete(Path.GetDirectoryName(segment)!, recursive: true);
                else
                    ExternalChanges.ApplyToFile(way, segment, "rubbish", _random);

                // What the rooms' files have from now on is not on the disk when the power goes; the journal is.
                LogFolder.Copy(service.Logs, second["logs"]);
                await PushAsync(service, rooms);
                if (Directory.Exists(second["logs", ".journal"]))
                    Directory.Delete(second["logs", ".journal"], recursive: true);
                LogFolder.Copy(Path.Combine(service.Logs, ".journal"), second["logs", ".journal"]);
            }

            using var restarted = new ServiceUnderTest(_time, second);
            await PushAsync(restarted, rooms);
            foreach (var room in rooms)
                _acknowledged.Check(restarted.Logs, room, $"journal {way}");
        }

        _acknowledged.AssertComplete(Touched, "the journal's segment or folder, then a power cut", rounds * ways.Length);
    }

    /// <summary>Some events of every room are synced, some are in the journal, and then each room is touched in another way.</summary>
    private async Task TouchEachAsync(bool isKilled, bool areClosed)
    {
        using var folder = TempFolder.ForCaller();
        using var second = TempFolder.ForCaller();
        using var third = TempFolder.ForCaller();
        using var disks = areClosed ? new Disks([await InMemoryAsync(folder), await InMemoryAsync(second), await InMemoryAsync(third)]) : null;
        var rooms = ExternalChanges.All.ToDictionary(_ => Some.RoomId());
        using (var service = new ServiceUnderTest(_time, folder))
        {
            for (var i = 0; i < 8; i++)
            {
                await PushAsync(service, rooms.Keys);
                if (i == 3)
                    await Wait.UntilAsync(() => LogFolder.Segments(service.Logs).Length == 0, "the journal was emptied", () => _time.Advance(TimeSpan.FromSeconds(1)));
            }

            foreach (var others in Enumerable.Range(0, areClosed ? 1000 : 0).Select(_ => Some.RoomId()).Chunk(250))
                await UntilTakenAsync(service, [.. others.Select(room => Some.Message(room))]);
            _acknowledged.DuringChange(service.Logs, () => { foreach (var (room, touch) in rooms) ExternalChanges.Apply(touch, service.Logs, room, _random); });
            if (!isKilled)
                await PushAndLookAsync(service, rooms);
            LogFolder.Copy(service.Logs, second["logs"]);
        }

        using (var service = new ServiceUnderTest(_time, second))
        {
            await PushAndLookAsync(service, rooms);
            LogFolder.Copy(service.Logs, third["logs"]);
        }

        using var last = new ServiceUnderTest(_time, third);
        await PushAndLookAsync(last, rooms);
    }

    // What a disk takes to sync 2,000 files is of no interest here.
    private static Task<SmallDisk> InMemoryAsync(TempFolder folder) => SmallDisk.MountAsync(folder.Path, "64m");

    private sealed class Disks(SmallDisk[] disks) : IDisposable
    {
        public void Dispose() => Array.ForEach(disks, disk => disk.Dispose());
    }

    private async Task PushAndLookAsync(ServiceUnderTest service, Dictionary<string, string> rooms)
    {
        await PushAsync(service, rooms.Keys);
        foreach (var (room, touch) in rooms)
            _acknowledged.Check(service.Logs, room, touch);
    }

    private async Task PushAsync(ServiceUnderTest service, IEnumerable<string> rooms)
    {
        var ids = rooms.Select(room => (Room: room, Id: Some.EventId())).ToList();
        var events = ids.Select(e => Some.Message(e.Room, $"message {e.Id} {new string('x', _random.Next(200))}", e.Id)).ToList();
        await UntilTakenAsync(service, events);
        ids.ForEach(e => _acknowledged.Add(e.Room, e.Id));
    }

    /// <summary>As a homeserver does it: the same transaction again and again until it is answered 200.</summary>
    private async Task UntilTakenAsync(ServiceUnderTest service, List<string> events)
    {
        var id = $"t{++_transactions}";
        var status = 0;
        for (var attempt = 0; attempt < 3 && status != 200; attempt++)
            status = (await service.PushAsync(id, events)).Status;
        Assert.True(status == 200, $"{status}: {string.Join('\n', service.WarningsAndErrors)}");
    }
}
