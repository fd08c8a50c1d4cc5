using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>With JoinLoggedRooms our user is in the rooms that are logged, so that their lists of members tell it.</summary>
public class JoinLoggedRoomsTests
{
    private const string Us = "@logging:localhost";
    private const string Tea = "#logged_tea:localhost";
    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/join/*", """{"room_id":"!joined:localhost"}""")
        .On("POST /_matrix/client/v3/rooms/*", "{}");

    [Theory]
    [InlineData("on", true)]
    [InlineData("off", false)]
    public async Task A_room_that_gets_a_logged_alias_is_joined_if_the_setting_is_on(string setting, bool joins)
    {
        _homeserver.Alias(Tea, _room);
        using var service = Service(setting);
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => Directory.Exists(Path.Combine(service.Logs, "logged_tea")), "the link");
        if (joins)
        {
            await Wait.UntilAsync(() => Joins(_room) == 1, "the service joins");
        }
        else
        {
            await UntilCheckedAsync(service);
            Assert.Equal(0, Joins(_room));
        }
    }

    [Fact]
    public async Task A_room_that_is_not_public_is_tried_once()
    {
        _homeserver.Alias(Tea, _room).On("POST /_matrix/client/v3/join/*", 403, """{"errcode":"M_FORBIDDEN","error":"not invited"}""");
        using var service = Service("on");
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => Joins(_room) == 1, "an attempt");
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        await UntilCheckedAsync(service);
        Assert.Equal(1, Joins(_room));
    }

    [Theory]
    [InlineData("leave", Us, true)]
    [InlineData("leave", "@alice:localhost", false)]
    [InlineData("ban", "@alice:localhost", false)]
    public async Task A_room_that_our_user_left_is_joined_again_but_not_one_that_it_was_removed_from(
        string membership, string by, bool joins)
    {
        var line = $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/m.room.member/{Uri.EscapeDataString(Us)}";
        _homeserver.Alias(Tea, _room).On(line, $$$"""{"content":{"membership":"{{{membership}}}"},"sender":"{{{by}}}"}""");
        using var service = Service("on");
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => _homeserver.Calls.Any(call => call.Line == line), "the membership is asked for");
        await UntilCheckedAsync(service);
        Assert.Equal(joins ? 1 : 0, Joins(_room));
    }

    [Fact]
    public async Task Our_user_leaves_a_room_whose_last_alias_is_gone()
    {
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""").AliasesOf(_room, Tea);
        using var service = Service("on");
        await PushAsync(service, Some.Message(_room));
        _homeserver.AliasesOf(_room);
        await PushAsync(service, Some.State(_room, "m.room.canonical_alias", "{}"));
        await Wait.UntilAsync(
            () => _homeserver.Calls.Any(call => call.Line == $"POST /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/leave"),
            "the service leaves");
    }

    private ServiceUnderTest Service(string setting) =>
        new(homeserver: _homeserver, settings: new() { ["LoggingService:JoinLoggedRooms"] = setting });

    /// <summary>Rooms are checked, and joined, one after another.</summary>
    private async Task UntilCheckedAsync(ServiceUnderTest service)
    {
        const string Later = "#logged_later:localhost";
        var other = Some.RoomId();
        _homeserver.Alias(Later, other);
        await PushAsync(service, Some.CanonicalAlias(other, Later));
        await Wait.UntilAsync(() => Directory.Exists(Path.Combine(service.Logs, "logged_later")), "the link of a later room");
    }

    private int Joins(string roomId) =>
        _homeserver.Calls.Count(call => call.Line == $"POST /_matrix/client/v3/join/{Uri.EscapeDataString(roomId)}");

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));
}
