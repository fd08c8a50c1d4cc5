using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Logging stops when the last logged alias of a room is gone, and goes on when one is back; the log says both.</summary>
public class LoggingStopTests
{
    private const string Us = "@logging:localhost";
    private const string Tea = "#logged_tea:localhost";
    private const string Stopped = "*** logging stopped: the last alias is gone";
    private const string Resumed = "*** logging resumed: the room has an alias again";
    private readonly string _room = Some.RoomId();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();

    [Fact]
    public async Task Logging_stops_within_a_minute_after_the_last_alias_is_gone()
    {
        Joined().AliasesOf(_room, Tea);
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "before"));

        _homeserver.AliasesOf(_room, "#tea:localhost");
        var begin = _time.GetUtcNow();
        await UntilStoppedAsync(service);
        Assert.True(_time.GetUtcNow() - begin <= TimeSpan.FromSeconds(70));
        await PushAsync(service, Some.Message(_room, "after"));
        await PushAsync(service, Some.Message(_room, "and more"));

        Assert.Equal(["<@alice:localhost> before", Stopped], service.Lines(_room));
        Assert.Matches("""^\{.*"event_id":"[^$].*,"received_ts":\d{13},"note":true\}$""", service.Record(_room)[^1]);
    }

    [Fact]
    public async Task A_room_that_is_active_all_the_time_is_asked_for_once_a_minute()
    {
        Joined().AliasesOf(_room, Tea);
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));
        var asked = Asked();
        for (var i = 0; i < 30; i++)
        {
            await PushAsync(service, Some.Message(_room));
            _time.Advance(TimeSpan.FromSeconds(6));
        }

        await Wait.UntilAsync(() => Asked() - asked is 2 or 3, "two or three queries in three minutes");

        int Asked() => _homeserver.Calls.Count(call => call.Line == StubHomeserver.AliasesLine(_room));
    }

    [Fact]
    public async Task Logging_stops_at_once_when_the_canonical_alias_changes_and_no_alias_is_left()
    {
        Joined().AliasesOf(_room, Tea);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "before"));

        _homeserver.AliasesOf(_room);
        await PushAsync(service, Some.State(_room, "m.room.canonical_alias", "{}"));
        await UntilStoppedAsync(service);
        Assert.Equal(
            ["<@alice:localhost> before", "*** @alice:localhost removed the main alias", Stopped], service.Lines(_room));
    }

    [Fact]
    public async Task A_room_that_has_another_logged_alias_goes_on()
    {
        Joined().AliasesOf(_room, Tea, "#logged_milk:localhost");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "before"));

        _homeserver.AliasesOf(_room, "#logged_milk:localhost");
        var asked = _homeserver.Calls.Count;
        await PushAsync(service, Some.State(_room, "m.room.canonical_alias", "{}"));
        await Wait.UntilAsync(() => _homeserver.Calls.Skip(asked).Any(call => call.Line == StubHomeserver.AliasesLine(_room)), "a query");
        await PushAsync(service, Some.Message(_room, "after"));
        Assert.Contains("<@alice:localhost> after", service.Lines(_room));
        Assert.DoesNotContain(Stopped, service.Lines(_room));
    }

    [Theory]
    [InlineData($$"""{"type":"m.room.create","content":{},"sender":"{{Us}}"}""", true)]
    [InlineData($$"""{"creator":"{{Us}}"}""", true)]
    [InlineData("""{"type":"m.room.create","sender":"@alice:localhost","content":{}}""", false)]
    [InlineData("""{"room_version":"11"}""", false)]
    public async Task Our_user_leaves_a_room_that_it_created(string create, bool leaves)
    {
        var left = new TaskCompletionSource();
        Joined().AliasesOf(_room, Tea)
            .On(RoomLine("GET", "state/m.room.create"), create)
            .On(RoomLine("POST", "leave"), _ =>
            {
                left.TrySetResult();
                return Task.FromResult(new StubHomeserver.Response(200, "{}"));
            });
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room));

        _homeserver.AliasesOf(_room);
        await PushAsync(service, Some.State(_room, "m.room.canonical_alias", "{}"));
        await UntilStoppedAsync(service);
        if (leaves)
        {
            await left.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);
        }

        // The next room is checked after this one.
        var other = Some.RoomId();
        await PushAsync(service, Some.Message(other));
        await Wait.UntilAsync(() => _homeserver.Calls.Any(call => call.Line == StubHomeserver.AliasesLine(other)), "the next check");
        Assert.Equal(leaves, left.Task.IsCompleted);
        await PushAsync(service, Some.State(_room, "m.room.member", """{"membership":"leave"}""", Us, Us));
        Assert.Equal(Stopped, service.Lines(_room)[^1]);
    }

    [Fact]
    public async Task Our_user_leaves_a_room_that_it_created_and_that_never_gets_an_alias()
    {
        var left = new TaskCompletionSource();
        _homeserver.AliasesOf(_room).On(RoomLine("POST", "leave"), _ =>
        {
            left.TrySetResult();
            return Task.FromResult(new StubHomeserver.Response(200, "{}"));
        });
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await PushAsync(service, Some.State(_room, "m.room.create", """{"room_version":"11"}""", sender: Us), OurMembership("join"));
        await Wait.UntilAsync(() => left.Task.IsCompleted, "our user leaves", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(Stopped, service.Lines(_room)[^1]);
    }

    [Fact]
    public async Task The_creation_of_a_room_that_is_sent_again_does_not_resume_logging()
    {
        var create = Some.State(_room, "m.room.create", """{"room_version":"11"}""", sender: Us);
        Joined().AliasesOf(_room, Tea).On(RoomLine("POST", "leave"), "{}");
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, create);
        await StopAsync(service);
        await PushAsync(service, create, Some.Message(_room, "after"));
        Assert.Equal(Stopped, service.Lines(_room)[^1]);
    }

    [Fact]
    public async Task When_an_alias_is_back_logging_goes_on_from_the_first_event()
    {
        Joined().AliasesOf(_room, Tea);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await StopAsync(service);

        _homeserver.AliasesOf(_room, Tea);
        await PushAsync(service, Some.Message(_room, "back"), Some.Message(_room, "again"));
        Assert.Equal([Resumed, "<@alice:localhost> back", "<@alice:localhost> again"], service.Lines(_room).TakeLast(3));

        await StopAsync(service);
        Assert.Equal(2, service.Lines(_room).Count(line => line == Stopped));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_the_log_still_says_that_logging_stopped_and_goes_on(bool isKilled)
    {
        var folder = TempFolder.ForCaller();
        Joined().AliasesOf(_room, Tea);
        var service = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
        await StopAsync(service);
        var lines = service.Lines(_room);
        folder = await service.StopAsync(folder, isKilled);

        // Our user has left the room: that it is pushed means that it has an alias.
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", """{"joined_rooms":[]}""").AliasesOf(_room, Tea);
        using (folder)
        {
            using var restarted = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
            await PushAsync(restarted, Some.Message(_room, "back"));
            Assert.Equal([.. lines, Resumed, "<@alice:localhost> back"], restarted.Lines(_room));
        }
    }

    [Fact]
    public async Task An_alias_that_went_while_the_service_was_down_stops_logging_once()
    {
        using var folder = TempFolder.ForCaller();
        Joined().AliasesOf(_room, Tea);
        using (var service = new ServiceUnderTest(folder: folder, homeserver: _homeserver))
        {
            await PushAsync(service, Some.Message(_room, "before"));
        }

        _homeserver.AliasesOf(_room);
        for (var start = 0; start < 2; start++)
        {
            using var restarted = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
            await PushAsync(restarted, Some.Message(_room, "after"), Some.Message(_room, "and more"));
            await PushAsync(restarted, Some.Message(_room, "and still more"));
            await UntilStoppedAsync(restarted);
            Assert.Equal(["<@alice:localhost> before", Stopped], restarted.Lines(_room));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_room_without_an_alias_stays_unlogged_while_the_homeserver_cannot_be_asked(bool isRestarted)
    {
        var folder = TempFolder.ForCaller();
        Joined().AliasesOf(_room, Tea);
        var service = new ServiceUnderTest(_time, folder: folder, homeserver: _homeserver);
        await StopAsync(service);
        if (isRestarted)
        {
            folder = await service.StopAsync(folder, isKilled: false);
            service = new ServiceUnderTest(_time, folder: folder, homeserver: _homeserver);
            Assert.NotNull(service.Client);
        }

        _homeserver.On(StubHomeserver.AliasesLine(_room), 502, "<html>Bad Gateway");
        var pushed = PushAsync(service, Some.Message(_room, "private"));
        await Wait.UntilAsync(() => pushed.IsCompleted, "a response", () => _time.Advance(TimeSpan.FromMilliseconds(250)));
        await pushed;
        await PushAsync(service, Some.Message(_room, "private, too"));
        Assert.Equal(Stopped, service.Lines(_room)[^1]);
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_homeserver_that_lists_no_aliases_is_asked_for_the_canonical_alias()
    {
        Joined().On(StubHomeserver.AliasesLine(_room), 404, """{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}""")
            .On(RoomLine("GET", "state/m.room.canonical_alias"), 404, """{"errcode":"M_NOT_FOUND","error":"Event not found."}""")
            .Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "before"));
        Assert.False(Directory.Exists(Path.Combine(service.Logs, _room)));

        _homeserver.On(RoomLine("GET", "state/m.room.canonical_alias"), $$"""{"alt_aliases":["{{Tea}}"]}""");
        await PushAsync(service, Some.Message(_room, "after"));
        Assert.Equal(["<@alice:localhost> after"], service.Lines("logged_tea"));
    }

    private StubHomeserver Joined() => _homeserver
        .On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""")
        .On(RoomLine("GET", "state/m.room.create"), """{"sender":"@alice:localhost"}""");

    private async Task StopAsync(ServiceUnderTest service)
    {
        _homeserver.AliasesOf(_room, Tea);
        await PushAsync(service, Some.Message(_room, "before"));
        _homeserver.AliasesOf(_room);
        await PushAsync(service, Some.State(_room, "m.room.canonical_alias", "{}"));
        await UntilStoppedAsync(service);
    }

    private Task UntilStoppedAsync(ServiceUnderTest service) => Wait.UntilAsync(
        () => service.Lines(_room)[^1] == Stopped, "logging has stopped", () => _time.Advance(TimeSpan.FromSeconds(1)));

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));

    private string OurMembership(string membership) =>
        Some.State(_room, "m.room.member", $$"""{"membership":"{{membership}}"}""", Us, Us);

    private string RoomLine(string method, string path) => $"{method} /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/{path}";
}
