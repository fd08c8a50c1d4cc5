using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>An earlier record that cannot be read: whether an event is in it is unknown, so its room waits, and no other.</summary>
public class UnreadableRecordTests
{
    [Fact]
    public async Task A_room_whose_earlier_record_cannot_be_read_waits_and_catches_up_while_others_are_logged()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 12, 30, 0, TimeSpan.Zero)));
        var room = Some.RoomId();
        var other = Some.RoomId();
        Directory.CreateDirectory(Path.Combine(service.Logs, room));

        // A link to itself.
        var record = Path.Combine(service.Logs, room, "20261122.jsonl");
        File.CreateSymbolicLink(record, record);

        Assert.Equal(200, (await service.PushAsync("1", Some.Message(room, "hello"), Some.Message(other, "hi"))).Status);
        Assert.Equal(["<@alice:localhost> hi"], service.Lines(other));
        Assert.False(File.Exists(Path.Combine(service.Logs, room, "latest.log")));
        var warning = Assert.Single(service.WarningsAndErrors);
        Assert.Contains(room, warning, StringComparison.Ordinal);
        Assert.Contains(record, warning, StringComparison.Ordinal);

        File.Delete(record);
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(room, "again"))).Status);
        await Wait.UntilAsync(() => File.Exists(Path.Combine(service.Logs, room, "latest.log")), "the room is logged again");
        await service.CaughtUpAsync();
        Assert.Equal(["<@alice:localhost> hello", "<@alice:localhost> again"], service.Lines(room));
    }
}
