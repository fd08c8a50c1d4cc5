using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// An <c>.ids</c> file that is deleted, torn or stale, while the service runs and over a restart: no event is logged twice.
/// </summary>
public class DamagedIdsTests
{
    private readonly FakeTimeProvider _time = new(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly string _room = Some.RoomId();
    private readonly List<string> _sent = [];

    public static TheoryData<string, bool> Faults => new MatrixTheoryData<string, bool>(
        ["deleted", "torn", "empty", "stale", "of another room", "a folder"], [false, true]);

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_resent_event_of_a_day_with_a_damaged_ids_file_is_known(string fault, bool isRunning)
    {
        using var folder = TempFolder.ForCaller();
        var otherRoom = Some.RoomId();
        var ids = folder["logs", _room, "20261123.ids"];
        using (var service = new ServiceUnderTest(_time, folder))
        {
            await PushAsync(service);
            Assert.Equal(200, (await service.PushAsync("other", Some.Message(otherRoom))).Status);
        }

        var stale = File.ReadAllBytes(ids);
        using (var service = new ServiceUnderTest(_time, folder))
        {
            await PushAsync(service);
            await PushAsync(service);
            if (isRunning)
            {
                // At midnight, the ids move from memory to the file.
                _time.Advance(TimeSpan.FromDays(1));
                await PushAsync(service);
                Damage(fault, ids, stale, folder["logs", otherRoom, "20261123.ids"]);
                await AssertAllKnownAsync(service);
            }
        }

        Damage(fault, ids, stale, folder["logs", otherRoom, "20261123.ids"]);
        using var restarted = new ServiceUnderTest(_time, folder);
        await AssertAllKnownAsync(restarted);
        var method = $"{fault}{(isRunning ? ", also while the service runs" : "")}, then all events resent";
        Trial.Report("an .ids file", method, 1, _sent.Count, 0, 0);
    }

    private static void Damage(string fault, string ids, byte[] stale, string other)
    {
        if (Directory.Exists(ids))
        {
            return;
        }

        var content = File.ReadAllBytes(ids);
        File.Delete(ids);
        switch (fault)
        {
            case "torn": File.WriteAllBytes(ids, content[..(content.Length / 2)]); break;
            case "empty": File.WriteAllBytes(ids, []); break;
            case "stale": File.WriteAllBytes(ids, stale); break;
            case "of another room": File.Copy(other, ids); break;
            case "a folder": Directory.CreateDirectory(ids); break;
            default: break;
        }
    }

    private async Task PushAsync(ServiceUnderTest service)
    {
        _sent.Add(Some.Message(_room, $"message {_sent.Count}"));
        Assert.Equal(200, (await service.PushAsync($"{_sent.Count}", _sent[^1])).Status);
    }

    private async Task AssertAllKnownAsync(ServiceUnderTest service)
    {
        Assert.Equal(200, (await service.PushAsync("again", _sent)).Status);
        await PushAsync(service);
        Assert.Equal(_sent.Count, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }
}
