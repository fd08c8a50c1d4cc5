using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Serilog.Events;

namespace LoggingService.Tests;

/// <summary>A failure to read the record must not lose an event: its line is rendered by the fallback.</summary>
public class UnreadableRecordLineTests
{
    [Fact]
    public async Task A_reply_whose_target_cannot_be_read_is_rendered_by_the_fallback_with_a_warning()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 12, 30, 0, TimeSpan.Zero)));
        var room = Some.RoomId();
        Directory.CreateDirectory(Path.Combine(service.Logs, room));
        var record = Path.Combine(service.Logs, room, "20261122.jsonl");
        await File.WriteAllTextAsync(record, Some.Message(room, eventId: "$hello") + "\n", TestContext.Current.CancellationToken);
        await service.PushAsync("1", Some.Message(room, "the room is open"), Reply("$first"));

        // Makes yesterday's record impossible to open, even for root: a running program can't be opened for writing.
        File.Delete(record);
        File.CreateSymbolicLink(record, Environment.ProcessPath!);
        Assert.Equal(200, (await service.PushAsync("2", Reply("$second"), Some.Message(room, "and on it goes"))).Status);

        const string Content = """{"body":"me too","msgtype":"m.text","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}}""";
        Assert.Equal($"*** @alice:localhost m.room.message {Content}", service.Lines(room)[^2]);
        Assert.EndsWith("\"hello\"> me too", service.Lines(room)[^3], StringComparison.Ordinal);
        Assert.Equal("<@alice:localhost> and on it goes", service.Lines(room)[^1]);
        Assert.Contains(Content, service.Record(room)[^2], StringComparison.Ordinal);
        var warning = Assert.Single(
            service.Logged, e => e.Level >= LogEventLevel.Warning && e.RenderMessage(null).Contains("$second", StringComparison.Ordinal));
        Assert.NotNull(warning.Exception);

        string Reply(string id) =>
            Some.Message(room, "me too", id).Replace("\"msgtype\":\"m.text\"", """
                "msgtype":"m.text","m.relates_to":{"m.in_reply_to":{"event_id":"$hello"}}
                """, StringComparison.Ordinal);
    }
}
