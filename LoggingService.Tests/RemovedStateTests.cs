using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>What removed state said is written neither as the previous value of later state, nor in the service's own log.</summary>
public class RemovedStateTests : RemovedWordsTestBase
{
    private const string Plain = "*** @bob:localhost set the room name to \"plain\"";

    /// <summary>What the homeserver says about the state that was replaced, of a room in which its name was removed.</summary>
    [Theory]
    [InlineData("\"replaces_state\":\"$name\",", true)]
    [InlineData("", true)]
    [InlineData("\"prev_sender\":\"@alice:localhost\",", true)]
    [InlineData("\"replaces_state\":\"$gone\",", true)]
    [InlineData("\"replaces_state\":\"$name\",\"prev_sender\":\"@alice:localhost\",", false)]
    [InlineData("\"replaces_state\":\"$name\",", false)]
    [InlineData("\"prev_sender\":\"@alice:localhost\",", false)]
    [InlineData("", false)]
    [InlineData("\"replaces_state\":\"$unknown\",\"prev_sender\":\"@alice:localhost\",", false)]
    public async Task A_removed_value_is_not_shown_as_the_previous_one(string replaced, bool byRedaction)
    {
        string[] events =
        [
            Name("$name", "@alice:localhost", Secret, 0),
            .. byRedaction ? [Redaction("$r1", "$name"), Redaction("$r2", "$gone")] : new[] { Ban("@alice:localhost") },
            Name("$new", "@bob:localhost", "plain", 2, replaced),
        ];
        foreach (var transactions in new IEnumerable<string[]>[] { [events], events.Select(e => new[] { e }) })
        {
            using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
            foreach (var transaction in transactions)
            {
                await PushAsync(service, transaction);
            }

            Assert.Equal(Plain, service.Lines(Room)[^1]);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"replaces_state\":\"$name\",")]
    [InlineData("\"replaces_state\":\"$unknown\",\"prev_sender\":\"@mod:localhost\",")]
    public async Task A_value_that_was_not_removed_is_shown(string replaced)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service, Ban("@alice:localhost"), Redaction("$r", "$topic"), Name("$name", "@bob:localhost", Secret, 2),
            Name("$new", "@bob:localhost", "plain", 3, replaced));
        Assert.Equal("*** @bob:localhost changed the room name from \"my secret token\" to \"plain\"", service.Lines(Room)[^1]);
    }

    [Theory]
    [InlineData("after")]
    [InlineData("before")]
    [InlineData("ban")]
    [InlineData("stub")]
    public async Task The_services_own_log_does_not_name_a_room_by_a_removed_name(string removal)
    {
        using var folder = TempFolder.ForCaller();
        var name = Name("$name", "@alice:localhost", Secret, 0);
        string[] events = removal switch
        {
            "before" => [Redaction("$r", "$name"), name],
            "ban" => [name, Ban("@alice:localhost")],
            "stub" => [Name("$name", "@alice:localhost", Secret, 0)
                .Replace($"{{\"name\":\"{Secret}\"}}", "{},\"unsigned\":{\"redacted_by\":\"$r\"}", StringComparison.Ordinal)],
            _ => [name, Redaction("$r", "$name")],
        };

        var homeserver = new StubHomeserver().CreatingRooms();
        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon), folder, homeserver: homeserver))
        {
            await PushAsync(service, events);
            await WaitForMessageAsync(service, Room);
            AssertSilent(service);
        }

        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon.AddDays(2)), folder, homeserver: homeserver))
        {
            Assert.NotNull(service.Client);
            await WaitForMessageAsync(service, Room);
            AssertSilent(service);
        }
    }

    [Fact]
    public async Task A_name_behind_the_removal_of_its_senders_earlier_events_names_the_room()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon), homeserver: new StubHomeserver().CreatingRooms());
        await PushAsync(
            service, Name("$old", "@alice:localhost", Secret, 0), Ban("@alice:localhost"), Redaction("$r", "$old"),
            Name("$name", "@alice:localhost", "Kitchen", 0));
        await WaitForMessageAsync(service, "\"Kitchen\"");
    }

    private string Name(string id, string sender, string name, int second, string? replaced = null)
    {
        var unsigned = replaced is null ? "" : $",\"unsigned\":{{{replaced}\"prev_content\":{{\"name\":\"{Secret}\"}}}}";
        return Event(id, sender, "m.room.name", $"{{\"name\":\"{name}\"}}", second, $",\"state_key\":\"\"{unsigned}");
    }

    private string Ban(string user) => Event(
        "$ban", "@mod:localhost", "m.room.member", """{"membership":"ban","redact_events":true}""", 1, $",\"state_key\":\"{user}\"");

    private static Task WaitForMessageAsync(ServiceUnderTest service, string name) => Wait.UntilAsync(
        () => service.Logged.Any(e =>
            e.MessageTemplate.Text.StartsWith("The log of {Room}", StringComparison.Ordinal)
            && e.Properties["Room"].ToString("l", null) == name),
        "the message that says where the room's log is");

    /// <summary>But for the room's own lines, which are shown as they were written.</summary>
    private static void AssertSilent(ServiceUnderTest service) =>
        Assert.DoesNotContain("secret", string.Concat(service.Logged
            .Where(e => e.Properties["SourceContext"].ToString("l", null).EndsWith("RecordedRooms", StringComparison.Ordinal))
            .Select(e => e.RenderMessage())), StringComparison.Ordinal);
}
