using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Our user joins a logged room that it is invited to, declines others, and is no one's puppet.</summary>
public class InvitationTests
{
    private const string Us = "@logging:localhost";
    private const string Tea = "#logged_tea:localhost";
    private readonly string _room = Some.RoomId();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/join/*", """{"room_id":"!joined:localhost"}""")
        .On("POST /_matrix/client/v3/rooms/*", "{}");

    [Fact]
    public async Task An_invitation_to_a_room_with_a_logged_alias_is_accepted()
    {
        _homeserver.Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Invitation(_room, Tea));
        await Wait.UntilAsync(() => Joins().Count == 1, "the service joins");
        Assert.Equal($"POST /_matrix/client/v3/join/{Uri.EscapeDataString(_room)}", Joins()[0].Line);
        Assert.Contains("via=localhost", Joins()[0].Query, StringComparison.Ordinal);
        Assert.Empty(Declines());
    }

    [Fact]
    public async Task An_invitation_to_a_room_that_is_logged_without_a_known_alias_is_accepted()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));
        await PushAsync(service, Invitation(_room));
        await Wait.UntilAsync(() => Joins().Count == 1, "the service joins");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("#tea:localhost")]
    [InlineData("#logged_tea:elsewhere.example")]
    [InlineData("#logged_others:localhost")]
    public async Task An_invitation_to_another_room_is_declined_with_a_reason(string? claimedAlias)
    {
        _homeserver.Alias("#tea:localhost", _room).Alias("#logged_others:localhost", Some.RoomId());
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Invitation(_room, claimedAlias));
        await Wait.UntilAsync(() => Declines().Count == 1, "the service declines");
        Assert.Equal($"POST /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/leave", Declines()[0].Line);
        Assert.Equal(
            """{"reason":"This service joins only rooms that it logs: those with an alias that matches #logged_.*."}""",
            Declines()[0].Body);
        Assert.Empty(Joins());
        Assert.False(Directory.Exists(Path.Combine(service.Logs, _room)));
    }

    [Fact]
    public async Task Ten_invitations_a_minute_are_answered_and_the_rest_is_ignored()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await PushAsync(service, Enumerable.Range(0, 30).Select(_ => Invitation(Some.RoomId())));
        await Wait.UntilAsync(() => Declines().Count == 10, "ten answers");

        // The answers of a later minute come after any that were not ignored.
        _time.Advance(TimeSpan.FromMinutes(1));
        await PushAsync(service, Invitation(_room));
        await Wait.UntilAsync(
            () => Declines().Any(call => call.Line.Contains(Uri.EscapeDataString(_room), StringComparison.Ordinal)), "the next answer");
        Assert.Equal(11, Declines().Count);
        Assert.Single(service.WarningsAndErrors, line => line.StartsWith("Ignored an invitation to ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_invitation_that_the_homeserver_refuses_to_answer_is_not_repeated()
    {
        _homeserver.On("POST /_matrix/client/v3/rooms/*", 403, """{"errcode":"M_FORBIDDEN","error":"no"}""");
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await PushAsync(service, Invitation(_room));
        await Wait.UntilAsync(() => Declines().Count == 1, "an answer");
        _time.Advance(TimeSpan.FromMinutes(10));
        var other = Some.RoomId();
        await PushAsync(service, Invitation(other));
        await Wait.UntilAsync(() => Declines().Count == 2, "the next answer");
        Assert.Contains(Uri.EscapeDataString(other), Declines()[1].Line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("leave", "kicked")]
    [InlineData("ban", "banned")]
    public async Task A_kick_or_a_ban_is_noted_and_our_user_stays_away(string membership, string verb)
    {
        _homeserver.Alias(Tea, _room);
        var settings = new Dictionary<string, string> { ["LoggingService:JoinLoggedRooms"] = "on" };
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver, settings: settings);
        _homeserver.On(MembershipLine(), $$"""{"content":{"membership":"join"},"sender":"{{Us}}"}""");
        _homeserver.AliasesOf(_room, Tea);
        await PushAsync(service, Membership("join", Us), Some.Message(_room, "before"));
        _homeserver.On(StubHomeserver.AliasesLine(_room), 403, """{"errcode":"M_FORBIDDEN"}""")
            .On(MembershipLine(), $$$"""{"content":{"membership":"{{{membership}}}"},"sender":"@alice:localhost"}""");
        await PushAsync(service, Membership(membership, "@alice:localhost"), Some.Message(_room, "after"));
        Assert.Equal(
            [
                $"*** the service was {verb} by @alice:localhost: the room is logged while it has a logged alias",
                "<@alice:localhost> after",
            ],
            service.Lines(_room).TakeLast(2));
        Assert.Single(service.WarningsAndErrors, line => line.StartsWith("The service was kicked or banned", StringComparison.Ordinal));

        var asked = _homeserver.Calls.Count;
        await Wait.UntilAsync(
            () => _homeserver.Calls.Skip(asked).Count(call => call.Line == StubHomeserver.AliasLine(Tea)) > 2,
            "further polls",
            () => _time.Advance(TimeSpan.FromSeconds(5)));
        Assert.Empty(Joins());
    }

    private List<StubHomeserver.Request> Joins() =>
        [.. _homeserver.Calls.Where(call => call.Line.StartsWith("POST /_matrix/client/v3/join/", StringComparison.Ordinal))];

    private List<StubHomeserver.Request> Declines() =>
        [.. _homeserver.Calls.Where(call => call.Line.EndsWith("/leave", StringComparison.Ordinal))];

    private string MembershipLine() =>
        $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/m.room.member/{Uri.EscapeDataString(Us)}";

    private string Membership(string membership, string sender) =>
        Some.State(_room, "m.room.member", $$"""{"membership":"{{membership}}"}""", Us, sender);

    private static string Invitation(string roomId, string? alias = null)
    {
        var stripped = alias is null ? "" : $$$"""{"type":"m.room.canonical_alias","state_key":"","content":{"alias":"{{{alias}}}"}}""";
        var invitation = Some.State(roomId, "m.room.member", """{"membership":"invite"}""", Us);
        return invitation.TrimEnd()[..^1] + $$$""","unsigned":{"invite_room_state":[{{{stripped}}}]}}""";
    }

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));
}
