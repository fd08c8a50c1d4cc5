using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Only what the homeserver takes for a redaction removes an event.</summary>
public class ForgedRemovalTests : RemovedWordsTestBase
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Content_cannot_forge_the_target_of_a_redaction_in_old_rooms(bool inOneTransaction)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        string[] events =
        [
            Event("$hello", "@alice:localhost", "m.room.message", Text("hello"), 0),
            Event("$spam", "@mallory:localhost", "m.room.message", Text("spam"), 1),
            Event("$redaction", "@mallory:localhost", "m.room.redaction", """{"redacts":"$hello"}""", 2, ",\"redacts\":\"$spam\""),
            Reply("$reply1", "$hello"),
            Reply("$reply2", "$spam"),
        ];
        foreach (var part in inOneTransaction ? [events] : events.Select(e => new[] { e }))
        {
            await PushAsync(service, part);
        }

        Assert.Equal(
            [
                "*** @mallory:localhost removed the message of @mallory:localhost 12:00:01",
                "<@bob:localhost, to @alice:localhost 12:00:00 \"hello\"> why?",
                "<@bob:localhost, to the removed message of @mallory:localhost 12:00:01> why?",
            ],
            service.Lines(Room).TakeLast(3));
    }

    [Theory]
    [InlineData("m.room.redaction", "{}", ",\"redacts\":\"@alice:localhost\"")]
    [InlineData("m.room.member", """{"membership":"ban","redact_events":true}""", ",\"state_key\":\"$hello\"")]
    public async Task Neither_a_user_nor_an_event_can_be_removed_as_the_other(string type, string content, string more)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(service, Event("$hello", "@alice:localhost", "m.room.message", Text("hello"), 0));
        await PushAsync(service, Event("$odd", "@mallory:localhost", type, content, 1, more));
        await PushAsync(service, Reply("$reply", "$hello"));
        Assert.Contains("\"hello\"", service.Lines(Room)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redaction_in_another_room_removes_nothing()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service,
            Event("$hello", "@alice:localhost", "m.room.message", Text("hello"), 0),
            Redaction("$redaction", "$hello").Replace(Room, Some.RoomId(), StringComparison.Ordinal),
            Reply("$reply", "$hello"));
        Assert.Contains("\"hello\"", service.Lines(Room)[^1], StringComparison.Ordinal);
    }
}
