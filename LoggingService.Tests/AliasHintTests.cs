using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Where the homeserver does not list a room's aliases, hints lead to its link, and cost little.</summary>
public class AliasHintTests
{
    private const string Directory = "GET /_matrix/client/v3/directory/room/";
    private const string Tea = "#logged_tea:localhost";
    private readonly string _room = Some.RoomId();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StubHomeserver _homeserver = new StubHomeserver().CreatingRooms();

    [Fact]
    public async Task A_flood_of_hints_is_ten_lookups_a_minute()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        for (var i = 0; i < 5; i++)
        {
            await PushAsync(service, Some.CanonicalAlias(_room, Tea, Enumerable.Range(0, 1_000).Select(n => $"#logged_{i}x{n}:localhost")));
            await Wait.UntilAsync(() => Lookups() == 10, "ten lookups");
        }

        // A check of another room is later than what is due for this one.
        var other = Some.RoomId();
        _homeserver.Alias("#logged_other:localhost", other);
        await PushAsync(service, Some.CanonicalAlias(other, "#logged_other:localhost"));
        await Wait.UntilAsync(() => Link(service, "logged_other") == other, "the link of another room");
        Assert.Equal(10, Lookups());

        _homeserver.Alias(Tea, _room);
        await Wait.UntilAsync(
            () => Link(service, "logged_tea") == _room, "the link, a minute later", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(20, Lookups());

        int Lookups() => _homeserver.Calls.Count(call =>
            call.Line.StartsWith(Directory, StringComparison.Ordinal) && !call.Line.Contains("other", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_user_s_query_for_an_alias_that_is_looked_up_creates_the_room(bool usersIsFirst)
    {
        var looksUp = new TaskCompletionSource();
        var usersIsSent = new TaskCompletionSource();
        (int Status, string Body)? own = null;
        var puts = 0;
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        _homeserver.On(StubHomeserver.AliasLine(Tea, "PUT"), _ => Task.FromResult<StubHomeserver.Response>(
            Interlocked.Increment(ref puts) == 1 ? new(200, "{}") : new(409, AliasQueries.Error("M_UNKNOWN"))));
        _homeserver.On(StubHomeserver.AliasLine(Tea), async _ =>
        {
            // Synapse queries us for our own lookup, too.
            looksUp.TrySetResult();
            if (usersIsFirst)
            {
                await usersIsSent.Task;
                await Task.Delay(50);
            }

            own = await QueryAsync(service);
            return new(404, """{"errcode":"M_NOT_FOUND","error":"Room alias not found"}""");
        });
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        await looksUp.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);
        var users = QueryAsync(service);
        usersIsSent.SetResult();

        Assert.Equal(200, (await users).Status);
        await Wait.UntilAsync(() => own is not null, "the homeserver has its response");
        await Wait.UntilAsync(() => Link(service, "logged_tea") is not null, "the link");

        // The homeserver has two queries: on a busy machine one can come after the other has created the room.
        await Wait.UntilAsync(() => _homeserver.CreatedRooms - Left() == 1, "one room stays");

        int Left() => _homeserver.Calls.Count(call => call.Line.EndsWith("/leave", StringComparison.Ordinal));

        static Task<(int Status, string Body)> QueryAsync(ServiceUnderTest service) => AliasQueries.QueryAsync(service, Tea);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_link_that_a_stop_or_a_crash_prevented_is_made_at_the_next_start(bool isKilled)
    {
        var folder = TempFolder.ForCaller();
        _homeserver.On($"{Directory}*", 403, """{"errcode":"M_FORBIDDEN"}""");
        var service = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
        await PushAsync(
            service,
            Some.CanonicalAlias(_room, "#logged_milk:localhost"),
            Some.CanonicalAlias(_room, "#kitchen:localhost", Tea),
            Some.Message(_room, "m.room.canonical_alias"));
        folder = await service.StopAsync(folder, isKilled);

        _homeserver.Alias(Tea, _room);
        service = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
        Assert.NotNull(service.Client);
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the link");
        await service.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task An_alias_that_a_user_asked_for_before_a_room_got_it_is_linked()
    {
        var settings = new Dictionary<string, string> { ["LoggingService:RoomsPerHour"] = "0" };
        using var service = new ServiceUnderTest(homeserver: _homeserver, settings: settings);
        Assert.Equal(404, (await AliasQueries.QueryAsync(service, Tea)).Status);

        // As another address that the room does not publish.
        _homeserver.Alias(Tea, _room);
        await PushAsync(service, Some.Message(_room));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the link");
    }

    [Fact]
    public async Task The_aliases_that_a_server_publishes_are_hints()
    {
        _homeserver.Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.State(_room, "m.room.aliases", $$"""{"aliases":["{{Tea}}"]}""", "localhost"));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the link");
    }

    [Fact]
    public async Task A_room_without_a_known_alias_is_named_in_the_message_that_says_where_its_log_is()
    {
        using var service = new ServiceUnderTest(homeserver: _homeserver);
        await PushAsync(service, Some.State(_room, "m.room.name", """{"name":"Kitchen"}"""), Some.Message(_room));
        await Wait.UntilAsync(() => Messages().Any(), "the message");
        Assert.Equal(
            $"The log of \"\"Kitchen\"\" is in \"{Path.Combine(service.Logs, _room)}\"; the homeserver did not tell its alias",
            Assert.Single(Messages()).Replace("\\", "", StringComparison.Ordinal));

        IEnumerable<string> Messages() => service.Logged.Select(e => e.RenderMessage())
            .Where(message => message.StartsWith("The log of ", StringComparison.Ordinal));
    }

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));

    private static string? Link(ServiceUnderTest service, string name) => new DirectoryInfo(Path.Combine(service.Logs, name)).LinkTarget;
}
