using System.Text.Json;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>When a room is first logged, its name, topic and members go into its log, where the homeserver tells them.</summary>
public class FirstStateTests
{
    private const string Us = "@logging:localhost";
    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    [Fact]
    public async Task Name_topic_and_members_are_noted_behind_the_first_event()
    {
        Readable(("@alice:localhost", "Alice"), ("@bob:localhost", null), ("@eve:localhost", "*** \"Eve\"\n"));
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "first"));
        await UntilLinesAsync(service, 3);
        Assert.Equal(
            [
                "<@alice:localhost> first",
                "*** when logging began the room had the name \"Tea\", the topic \"all about tea\" and 3 members",
                "*** members then: @alice:localhost \"Alice\", @bob:localhost, @eve:localhost \"*** \\\"Eve\\\"␊\"",
            ],
            service.Lines(_room));
        var state = JsonElement.Parse(service.Record(_room)[1]).GetProperty("content");
        Assert.Equal("Tea", state.GetProperty("name").GetString());
        Assert.Equal(3, state.GetProperty("listed").GetInt32());
        var members = JsonElement.Parse(service.Record(_room)[2]).GetProperty("content").GetProperty("members");
        Assert.Equal("Alice", members.GetProperty("@alice:localhost").GetString());
        Assert.Equal(JsonValueKind.Null, members.GetProperty("@bob:localhost").ValueKind);
    }

    [Fact]
    public async Task Names_with_unpaired_surrogates_are_noted_with_replacement_characters()
    {
        Readable();
        var room = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}";
        _homeserver.On($"{room}/state/m.room.name", """{"name":"Tea\ud800"}""")
            .On($"{room}/joined_members", """{"joined":{"@alice:localhost":{"display_name":"\udc00A"}}}""");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "first"));
        await UntilLinesAsync(service, 3);
        Assert.Contains("the name \"Tea\ufffd\"", service.Lines(_room)[1]);
        Assert.Equal("*** members then: @alice:localhost \"\ufffdA\"", service.Lines(_room)[2]);
    }

    [Fact]
    public async Task It_is_noted_once_also_after_a_restart()
    {
        Readable(("@alice:localhost", "Alice"));
        using var folder = TempFolder.ForCaller();
        using (var service = new ServiceUnderTest(folder: folder, homeserver: _homeserver))
        {
            await PushAsync(service, Some.Message(_room, "first"));
            await UntilLinesAsync(service, 3);
            await PushAsync(service, Some.Message(_room, "second"));
        }

        using var restarted = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
        var asked = Asked();
        await PushAsync(restarted, Some.Message(_room, "third"), Membership("join"));
        await Wait.UntilAsync(() => Asked() > asked, "a query");

        // The notes of another room that is first logged come later.
        var other = Some.RoomId();
        await PushAsync(restarted, Some.Message(other));
        await Wait.UntilAsync(
            () => _homeserver.Calls.Any(call => call.Line.Contains($"{Uri.EscapeDataString(other)}/state/m.room.name")), "a later query");
        await restarted.CaughtUpAsync();
        Assert.Single(restarted.Lines(_room), line => line.StartsWith("*** when logging began", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_room_that_our_user_may_not_read_is_noted_when_it_joins()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "first"));
        await Wait.UntilAsync(
            () => _homeserver.Calls.Any(call => call.Line.EndsWith("/state/m.room.name", StringComparison.Ordinal)), "a query");
        Assert.Equal(["<@alice:localhost> first"], service.Lines(_room));

        Readable(("@alice:localhost", "Alice"));
        await Wait.UntilAsync(
            () => service.Lines(_room).Any(line => line.StartsWith("*** when logging began", StringComparison.Ordinal)),
            "the note",
            () => PushAsync(service, Membership("leave"), Membership("join")).GetAwaiter().GetResult());
    }

    [Fact]
    public async Task A_room_whose_creation_is_logged_needs_no_note()
    {
        Readable(("@alice:localhost", "Alice"));
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(
            service, Some.State(_room, "m.room.create", """{"room_version":"11"}""", sender: Us), Membership("join"), Some.Message(_room));
        Assert.Equal(3, service.Record(_room).Count);
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line.EndsWith("/joined_members", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_members_of_a_large_room_are_several_notes_of_bounded_size()
    {
        Readable([.. Enumerable.Range(0, 30_000).Select(i => ($"@user{i}:localhost", (string?)new string('ä', 60)))]);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "first"));
        await UntilLinesAsync(service, 34);
        await service.CaughtUpAsync();
        var record = service.Record(_room);
        Assert.Equal(34, record.Count);
        Assert.All(record, line => Assert.True(line.Length < 256 * 1024));
        var state = JsonElement.Parse(record[1]).GetProperty("content");
        Assert.Equal(30_000, state.GetProperty("members").GetInt32());
        var listed = record.Skip(2).Sum(line =>
            JsonElement.Parse(line).GetProperty("content").GetProperty("members").EnumerateObject().Count());
        Assert.Equal(listed, state.GetProperty("listed").GetInt32());
        Assert.InRange(listed, 5_000, 29_999);
        Assert.Matches("^\\*\\*\\* members then: @user0:localhost .* and \\d+ more$", service.Lines(_room)[2]);
    }

    private int Asked() => _homeserver.Calls.Count(call => call.Line.EndsWith("/joined_members", StringComparison.Ordinal));

    private StubHomeserver Readable(params (string UserId, string? Name)[] members)
    {
        var room = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}";
        var joined = members.ToDictionary(member => member.UserId, member => new { display_name = member.Name });
        return _homeserver.AliasesOf(_room, "#logged_tea:localhost")
            .On($"{room}/state/m.room.name", """{"name":"Tea"}""")
            .On($"{room}/state/m.room.topic", """{"topic":"all about tea"}""")
            .On($"{room}/state/m.room.history_visibility", 404, """{"errcode":"M_NOT_FOUND","error":"Event not found."}""")
            .On($"{room}/joined_members", JsonSerializer.Serialize(new { joined }));
    }

    private Task UntilLinesAsync(ServiceUnderTest service, int count) =>
        Wait.UntilAsync(() => service.Lines(_room).Count >= count, $"{count} lines");

    private string Membership(string membership) =>
        Some.State(_room, "m.room.member", $$"""{"membership":"{{membership}}"}""", Us, Us);

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));
}
