using LoggingService.Homeserver;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Which pushed rooms are logged, and their links.</summary>
public class LoggedRoomsTests
{
    private const string Us = "@logging:localhost";
    private const string Tea = "#logged_tea:localhost";
    private readonly string _room = Some.RoomId();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/join/*", "{}").On("POST /_matrix/client/v3/rooms/*", "{}");

    [Fact]
    public async Task A_room_that_our_user_has_not_joined_is_logged()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));
        Assert.Single(service.Record(_room));
    }

    [Fact]
    public async Task A_known_user_id_needs_no_query_that_could_be_cancelled()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));

        await service.Services.GetRequiredService<ServiceUser>().EnsureIdentifiedAsync(new CancellationToken(canceled: true));
    }

    [Fact]
    public async Task A_joined_room_without_an_alias_of_the_namespace_is_not_logged()
    {
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .AliasesOf(_room, "#tea:localhost", "#logged_tea:elsewhere.example");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));
        Assert.False(IsLogged(service));
    }

    [Fact]
    public async Task A_joined_room_with_an_alias_of_the_namespace_is_logged_and_linked()
    {
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .AliasesOf(_room, "#tea:localhost", Tea);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));
        Assert.Single(service.Record(_room));
        Assert.Equal(_room, Link(service, "logged_tea"));
    }

    [Fact]
    public async Task A_joined_room_is_logged_from_when_it_gets_an_alias_of_the_namespace()
    {
        _homeserver.AliasesOf(_room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Member("join"), Some.Message(_room, "before"));
        await PushAsync(service, Some.Message(_room, "still before"));
        Assert.False(IsLogged(service));
        Assert.Equal(2, Asked());

        _homeserver.AliasesOf(_room, Tea);
        await PushAsync(service, Some.Message(_room, "after"), Some.Message(_room, "and more"));
        await PushAsync(service, Some.Message(_room, "and more still"));
        Assert.Equal(3, service.Record(_room).Count);
        Assert.Equal("<@alice:localhost> after", service.Lines("logged_tea")[0]);

        int Asked() => _homeserver.Calls.Count(call => call.Line == StubHomeserver.AliasesLine(_room));
    }

    [Theory]
    [InlineData("invite")]
    [InlineData("leave")]
    [InlineData("ban")]
    [InlineData("knock")]
    public async Task Our_membership_alone_is_no_reason_to_log_a_room(string membership)
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Member(membership));
        Assert.False(IsLogged(service));
    }

    [Theory]
    [InlineData("invite")]
    [InlineData("leave")]
    [InlineData("ban")]
    public async Task Our_membership_in_a_logged_room_is_logged(string membership)
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));
        await PushAsync(service, Member(membership));
        Assert.Contains("logging:localhost", service.Lines(_room)[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("leave")]
    [InlineData("ban")]
    public async Task Our_leave_is_no_reason_to_log_a_room(string membership)
    {
        _homeserver.AliasesOf(_room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Member("join"), Some.Message(_room));

        // Non-members cannot query the aliases.
        _homeserver.On(StubHomeserver.AliasesLine(_room), 403, """{"errcode":"M_FORBIDDEN"}""");
        await PushAsync(service, Member(membership));
        Assert.False(IsLogged(service));

        // Without membership, an alias must be the reason for the push.
        await PushAsync(service, Some.Message(_room, "it has an alias now"));
        Assert.Single(service.Record(_room));
    }

    [Fact]
    public async Task A_room_that_we_created_is_logged_from_its_first_event_on()
    {
        _homeserver.AliasesOf(_room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, State("m.room.create", "", """{"room_version":"11"}""", Us));
        await PushAsync(service, Member("join"), Some.Message(_room));
        Assert.Equal(3, service.Record(_room).Count);
    }

    [Fact]
    public async Task All_rooms_are_logged_while_our_user_id_is_unknown()
    {
        _homeserver.On("GET /_matrix/client/v3/account/whoami", 401,
            """{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}""");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Member("join"), Some.Message(_room));
        Assert.Equal(2, service.Record(_room).Count);
    }

    [Fact]
    public async Task A_room_is_logged_while_its_aliases_are_unknown()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var never = new TaskCompletionSource<StubHomeserver.Response>();
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
            .On(StubHomeserver.AliasesLine(_room), _ => never.Task);
        using var service = new ServiceUnderTest(time, homeserver: _homeserver);
        var begin = time.GetUtcNow();
        var pushed = PushAsync(service, Some.Message(_room));
        await Wait.UntilAsync(() => pushed.IsCompleted, "a response", () => time.Advance(TimeSpan.FromMilliseconds(250)));
        await pushed;

        // Well within the timeout of the homeserver.
        Assert.InRange(time.GetUtcNow() - begin, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
        Assert.Single(service.Record(_room));

        // The next transactions do not wait.
        await PushAsync(service, Some.Message(_room));
        Assert.Equal(2, service.Record(_room).Count);
    }

    [Fact]
    public async Task A_room_of_the_rooms_namespace_is_logged_without_an_alias()
    {
        _homeserver.AliasesOf(_room);
        var registration = ServiceUnderTest.RegistrationText(rooms: $$"""[{exclusive: false, regex: "{{_room}}"}]""");
        using var service = new ServiceUnderTest(homeserver: _homeserver, registration: registration);
        await PushAsync(service, Member("invite"), Member("join"), Some.Message(_room));
        Assert.Equal(3, service.Record(_room).Count);
    }

    [Fact]
    public async Task A_confirmed_canonical_alias_is_linked()
    {
        _homeserver.Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room), CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the link is there");
    }

    [Theory]
    [InlineData("#logged_tea:elsewhere.example")]
    [InlineData("#tea:localhost")]
    [InlineData("#logged_taken:localhost")]
    [InlineData("#logged_missing:localhost")]
    [InlineData("#logged_../../etc:localhost")]
    public async Task An_unconfirmed_canonical_alias_changes_no_link(string claimed)
    {
        var other = Some.RoomId();
        _homeserver.Alias("#logged_taken:localhost", other).Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, CanonicalAlias(other, "#logged_taken:localhost"));
        await Wait.UntilAsync(() => Link(service, "logged_taken") == other, "the other room's link is there");

        // Hints are processed in order.
        await PushAsync(service, CanonicalAlias(_room, claimed));
        await PushAsync(service, CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the room's own link is there");
        Assert.Equal(other, Link(service, "logged_taken"));
        Assert.Equal(["logged_taken", "logged_tea"], Directory.GetDirectories(service.Logs)
            .Where(folder => new DirectoryInfo(folder).LinkTarget is not null).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task The_link_moves_when_the_alias_does()
    {
        var successor = Some.RoomId();
        _homeserver.Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the link is there");

        _homeserver.Alias(Tea, successor);
        await PushAsync(service, CanonicalAlias(successor, Tea));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == successor, "the link has moved");
        Assert.Equal(2, service.Record(_room).Count);
    }

    [Fact]
    public async Task A_query_for_an_alias_that_we_are_resolving_creates_no_room()
    {
        (int Status, string Body)? response = null;
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        _homeserver.On(StubHomeserver.AliasLine(Tea), async _ =>
        {
            // Synapse queries the application services of the namespace before it responds.
            response = await service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(Tea)}");
            return new(404, """{"errcode":"M_NOT_FOUND","error":"Room alias not found"}""");
        });
        await PushAsync(service, CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => response is not null, "the homeserver has its response");
        Assert.Equal(404, response!.Value.Status);
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line.Contains("createRoom", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(500, "M_UNKNOWN")]
    [InlineData(401, "M_UNKNOWN_TOKEN")]
    public async Task A_room_is_linked_once_the_homeserver_recovers(int status, string errcode)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _homeserver.On("GET /_matrix/client/v3/account/whoami", status, $$"""{"errcode":"{{errcode}}","error":"no"}""").Alias(Tea, _room);
        using var service = new ServiceUnderTest(time, homeserver: _homeserver);
        var pushed = PushAsync(service, CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => pushed.IsCompleted, "a response", () => time.Advance(TimeSpan.FromMilliseconds(250)));
        await pushed;
        Assert.Null(Link(service, "logged_tea"));

        _homeserver.On("GET /_matrix/client/v3/account/whoami", $$"""{"user_id":"{{Us}}"}""");
        await Wait.UntilAsync(
            () => Link(service, "logged_tea") == _room, "the link is there", () => time.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task The_name_of_a_room_is_logged()
    {
        using var service = new ServiceUnderTest();
        var room = Some.RoomId();
        await service.PushAsync("1", Event(room, "m.room.name", "", """{"name":"Kitchen\n\"ERR"}""", "@alice:localhost"));
        Assert.Single(service.Logged, logged =>
            logged.MessageTemplate.Text == "Room {Room} is named {Name}" && logged.Properties["Room"].ToString("l", null) == room
            && logged.Properties["Name"].ToString("l", null) == "\"Kitchen␊\\\"ERR\"");
    }

    [Fact]
    public async Task A_homeserver_that_never_responds_does_not_delay_a_stop()
    {
        var never = new TaskCompletionSource<StubHomeserver.Response>();
        _homeserver.On("GET /_matrix/client/versions", _ => never.Task).On(StubHomeserver.AliasLine(Tea), _ => never.Task)
            .On("POST /_matrix/client/v3/createRoom", _ => never.Task);
        var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, CanonicalAlias(_room, Tea));
        var joiner = service.SendAsync(HttpMethod.Get, "/_matrix/app/v1/rooms/%23logged_other%3Alocalhost");
        await Wait.UntilAsync(() => Waits("directory") && Waits("versions") && Waits("createRoom"), "everything waits for the homeserver");

        var begin = DateTime.UtcNow;
        service.Dispose();
        Assert.True(DateTime.UtcNow - begin < TimeSpan.FromSeconds(5), "The stop took 5 seconds or more.");
        Assert.Equal(503, (await joiner).Status);

        bool Waits(string path) => _homeserver.Calls.Any(call => call.Line.Contains(path, StringComparison.Ordinal));
    }

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));

    private bool IsLogged(ServiceUnderTest service) => Directory.Exists(Path.Combine(service.Logs, _room));

    private static string? Link(ServiceUnderTest service, string name) => new DirectoryInfo(Path.Combine(service.Logs, name)).LinkTarget;

    private string Member(string membership) => State("m.room.member", Us, $$"""{"membership":"{{membership}}"}""", "@alice:localhost");

    private static string CanonicalAlias(string room, string alias) =>
        Event(room, "m.room.canonical_alias", "", $$"""{"alias":"{{alias}}"}""", "@alice:localhost");

    private string State(string type, string stateKey, string content, string sender) => Event(_room, type, stateKey, content, sender);

    private static string Event(string room, string type, string stateKey, string content, string sender) =>
        $$"""{"content":{{content}},"event_id":"{{Some.EventId()}}","origin_server_ts":1795461611000,"room_id":"{{room}}","""
        + $$"""
            "sender":"{{sender}}","state_key":"{{stateKey}}","type":"{{type}}"}
            """;
}
