using LoggingService.Events;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests;

/// <summary>A line of the service itself is logged like an event: durable, once, and rendered from its record.</summary>
public class NoteTests
{
    private const string Stopped = "*** logging stopped: the last alias is gone";
    private readonly string _room = Some.RoomId();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_note_survives_a_restart_and_a_new_rendering_and_is_written_once(bool isKilled)
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder);
        await service.PushAsync("1", Some.Message(_room, "before"));
        await AppendAsync(service, Note.Create(Note.LoggingStopped, _room, "$cause"));
        await service.PushAsync("2", Some.Message(_room, "after"));
        string[] lines = ["<@alice:localhost> before", Stopped, "<@alice:localhost> after"];
        Assert.Equal(lines, service.Lines(_room));
        var record = service.Record(_room);
        Assert.Matches("""^\{.*,"received_ts":\d{13},"note":true\}$""", record[1]);
        folder = await service.StopAsync(folder, isKilled);

        File.Delete(Assert.Single(Directory.GetFiles(folder["logs", _room], "2*.log")));
        service = new ServiceUnderTest(folder: folder);
        await AppendAsync(service, Note.Create(Note.LoggingStopped, _room, "$cause"));
        Assert.Equal(lines, service.Lines(_room));
        Assert.Equal(record, service.Record(_room));

        await AppendAsync(service, Note.Create(Note.LoggingStopped, _room, "$another"));
        Assert.Equal([.. lines, Stopped], service.Lines(_room));
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_note_that_another_program_damages_is_repaired()
    {
        using var service = new ServiceUnderTest { RepairInterval = TimeSpan.Zero };
        await service.PushAsync("1", Some.Message(_room, "before"));
        await AppendAsync(service, Note.Create(Note.LoggingStopped, _room, "$cause"));
        File.AppendAllText(Assert.Single(Directory.GetFiles(Path.Combine(service.Logs, _room), "2*.log")), "foreign\n");
        await service.PushAsync("2", Some.Message(_room, "after"));
        await Wait.UntilAsync(() => service.Lines(_room)[^1] == "<@alice:localhost> after", "the room is repaired");
        Assert.Equal(["<@alice:localhost> before", Stopped, "<@alice:localhost> after"], service.Lines(_room));
        Assert.Equal(3, service.Record(_room).Count);
    }

    [Theory]
    [InlineData("!a\"b\\c:localhost")]
    [InlineData("!\ud800:localhost")]
    [InlineData("!ä\u0001🦊")]
    public void A_note_names_its_room_whatever_its_id(string roomId)
    {
        var note = Note.Create(Note.LoggingResumed, roomId, "$\udc00");
        Assert.Equal(roomId, note.RoomId);
        Assert.DoesNotContain('$', note.EventId);
    }

    [Theory]
    [InlineData("""{"event_id":"x","room_id":"!r:l","received_ts":1}""", false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","note":true,"received_ts":1}""", false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","note":true}""", false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","received_ts":,"note":true}""", false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","received_ts":-1,"note":true}""", false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","received_ts":1,"note":true} """, false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","received_ts":1,"note":false}""", false)]
    [InlineData("""{"event_id":"x","room_id":"!r:l","received_ts":1795437020908,"note":true}""", true)]
    public void A_line_is_a_note_only_if_it_ends_like_one(string line, bool isNote) =>
        Assert.Equal(isNote, Note.IsRecord(System.Text.Encoding.UTF8.GetBytes(line)));

    private static async Task AppendAsync(ServiceUnderTest service, RoomEvent note)
    {
        Assert.NotNull(service.Client);
        await service.Services.GetRequiredService<LogDirectory>().AppendAsync([note], [], "");
        await service.CaughtUpAsync();
    }
}
