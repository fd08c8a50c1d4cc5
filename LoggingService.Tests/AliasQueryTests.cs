using System.Text.Json;
using LoggingService.Http;
using LoggingService.Rooms;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Somebody joins an alias that doesn't exist yet: the homeserver asks, and the room is made.</summary>
public class AliasQueryTests
{
    private const string Alias = "#logged_tea:localhost";
    private const string CreateRoom = "POST /_matrix/client/v3/createRoom";
    private const string PutCanonical = "PUT /_matrix/client/v3/rooms/%21tea%3Alocalhost/state/m.room.canonical_alias";
    private const string MadeTea = """{"room_id":"!tea:localhost"}""";
    private static readonly string PutAlias = StubHomeserver.AliasLine(Alias, "PUT");

    [Fact]
    public async Task A_room_that_is_missing_is_made_and_gets_its_alias_when_it_is_open()
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms());

        Assert.Equal((200, "{}"), await AskAsync(service, Alias));

        Assert.Equal([CreateRoom, PutAlias, PutCanonical], Makings(service).Select(call => call.Line));
        using var room = JsonDocument.Parse(Makings(service)[0].Body);
        Assert.False(room.RootElement.TryGetProperty("room_alias_name", out _));
        Assert.Equal("public_chat", room.RootElement.GetProperty("preset").GetString());
        Assert.Equal("logged_tea", room.RootElement.GetProperty("name").GetString());
        Assert.Contains("logged", room.RootElement.GetProperty("topic").GetString(), StringComparison.Ordinal);
        var levels = room.RootElement.GetProperty("power_level_content_override");
        Assert.Equal(100, levels.GetProperty("events").GetProperty("m.room.encryption").GetInt32());
        Assert.Equal(50, levels.GetProperty("events").GetProperty("m.room.name").GetInt32());
        Assert.False(levels.TryGetProperty("users", out _));
        Assert.Equal(MadeTea, Makings(service)[1].Body);
        Assert.Equal($$"""{"alias":"{{Alias}}"}""", Makings(service)[2].Body);
    }

    [Fact]
    public async Task Our_calls_carry_the_token_in_the_header_alone()
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms());
        await AskAsync(service, Alias);

        Assert.All(Makings(service), call => Assert.Equal($"Bearer {ServiceUnderTest.AsToken}", call.Authorization));
        Assert.DoesNotContain(service.Homeserver.Calls, call => (call.Line + call.Query).Contains(ServiceUnderTest.AsToken, StringComparison.Ordinal));
        Assert.DoesNotContain(service.Logged, e => e.RenderMessage().Contains(ServiceUnderTest.AsToken, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_new_room_can_be_found_by_its_alias_in_the_logs()
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms());
        await AskAsync(service, Alias);

        Assert.Equal("!tea:localhost", new DirectoryInfo(Path.Combine(service.Logs, "logged_tea")).LinkTarget);
        await service.PushAsync("1", Some.Message("!tea:localhost", "hello"));
        Assert.Equal(["<@alice:localhost> hello"], service.Lines("logged_tea"));
    }

    [Theory]
    [InlineData("#tea:localhost")]
    [InlineData("#Logged_tea:localhost")]
    [InlineData("#logged_tea:elsewhere.example")]
    [InlineData("#logged_tea:localhost:8448")]
    [InlineData("logged_tea:localhost")]
    [InlineData("#logged_tea")]
    [InlineData("!tea:localhost")]
    public async Task An_alias_that_is_none_of_ours_is_not_made(string alias)
    {
        using var service = new ServiceUnderTest();
        await ServiceKnowsItselfAsync(service);

        Assert.Equal(404, (await AskAsync(service, alias)).Status);
        Assert.Empty(Makings(service));
    }

    [Fact]
    public async Task Many_who_ask_at_once_share_one_room()
    {
        var release = new TaskCompletionSource();
        var homeserver = MakesRooms().On(CreateRoom, async _ =>
        {
            await release.Task;
            return new(200, MadeTea);
        });
        using var service = new ServiceUnderTest(homeserver: homeserver);
        await ServiceKnowsItselfAsync(service);

        // Not over HTTP: that all have asked before the room is made must be certain.
        var rooms = service.Services.GetRequiredService<RoomCreator>();
        var asked = Enumerable.Range(0, 20).Select(_ => rooms.EnsureExistsAsync(Alias)).ToList();
        release.SetResult();

        Assert.All(await Task.WhenAll(asked), answer => Assert.Same(MatrixError.Ok, answer));
        Assert.Equal(3, Makings(service).Count);
    }

    [Fact]
    public async Task An_alias_that_was_deleted_is_made_again()
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms());

        Assert.Equal(200, (await AskAsync(service, Alias)).Status);
        Assert.Equal(200, (await AskAsync(service, Alias)).Status);
        Assert.Equal(2, Makings(service).Count(call => call.Line == CreateRoom));
    }

    [Theory]
    [InlineData(409, "M_UNKNOWN")]
    [InlineData(400, "M_ROOM_IN_USE")]
    public async Task Where_somebody_was_faster_the_joiner_is_sent_to_their_room(int status, string errcode)
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms().On(PutAlias, status, Error(errcode)));

        Assert.Equal((200, "{}"), await AskAsync(service, Alias));
        Assert.Equal([CreateRoom, PutAlias], Makings(service).Select(call => call.Line));
        Assert.False(Path.Exists(Path.Combine(service.Logs, "logged_tea")));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(0)]
    public async Task A_room_that_could_not_be_made_can_be_asked_for_again(int status)
    {
        var homeserver = MakesRooms().On(CreateRoom, _ => status == 0 ? throw new HttpRequestException("the connection was closed") : Task.FromResult(new StubHomeserver.Response(status, Error("M_UNKNOWN"))));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: AtMost(1));

        Assert.Equal(502, (await AskAsync(service, Alias)).Status);
        Assert.Single(Makings(service));
        Assert.Contains(service.WarningsAndErrors, said => said.Contains("could not be made: ", StringComparison.Ordinal));

        // Neither the failure nor the room that it reserved of the hour's is kept against the next who asks.
        homeserver.On(CreateRoom, MadeTea);
        Assert.Equal(200, (await AskAsync(service, Alias)).Status);
    }

    [Fact]
    public async Task A_failure_gives_back_its_own_hour_and_not_somebody_elses()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = MakesRooms();
        using var service = new ServiceUnderTest(time, homeserver: homeserver, settings: AtMost(2));
        Assert.Equal(200, (await AskAsync(service, "#logged_1:localhost")).Status);
        time.Advance(TimeSpan.FromMinutes(50));
        homeserver.On(CreateRoom, 403, Error("M_FORBIDDEN"));
        Assert.Equal(502, (await AskAsync(service, "#logged_2:localhost")).Status);

        // Ten minutes on, the first room's hour is over: two more may be made.
        homeserver.On(CreateRoom, MadeTea);
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(200, (await AskAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(200, (await AskAsync(service, "#logged_4:localhost")).Status);
    }

    [Fact]
    public async Task Over_the_hourly_limit_rooms_are_not_made_until_the_hour_is_over()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new ServiceUnderTest(time, homeserver: MakesRooms(), settings: AtMost(2));
        Assert.Equal(200, (await AskAsync(service, "#logged_1:localhost")).Status);
        Assert.Equal(200, (await AskAsync(service, "#logged_2:localhost")).Status);

        Assert.Equal(404, (await AskAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(404, (await AskAsync(service, "#logged_4:localhost")).Status);
        Assert.Single(Warnings());
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(404, (await AskAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(2, Warnings().Count());
        Assert.Equal(2, Makings(service).Count(call => call.Line == CreateRoom));

        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(200, (await AskAsync(service, "#logged_3:localhost")).Status);

        IEnumerable<string> Warnings() => service.WarningsAndErrors.Where(said => said.Contains("within an hour", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Moderators_are_named_beside_the_creator()
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms(), settings: Moderated());
        await AskAsync(service, Alias);

        Assert.Equal("""{"@logging:localhost":100,"@alice:localhost":50}""", UsersOf(Makings(service)[0]));
    }

    [Fact]
    public async Task Where_the_creator_must_not_be_named_the_moderators_are_named_alone()
    {
        // Room version 12.
        var homeserver = MakesRooms().On(CreateRoom, call => Task.FromResult(call.Body.Contains("\"@logging:localhost\":", StringComparison.Ordinal)
            ? new StubHomeserver.Response(400, Error("M_UNKNOWN"))
            : new(200, MadeTea)));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: Moderated());

        Assert.Equal(200, (await AskAsync(service, Alias)).Status);
        Assert.Equal([CreateRoom, CreateRoom, PutAlias, PutCanonical], Makings(service).Select(call => call.Line));
        Assert.Equal("""{"@alice:localhost":50}""", UsersOf(Makings(service)[1]));
    }

    [Fact]
    public async Task A_main_alias_that_fails_keeps_nobody_out_and_is_tried_again()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = MakesRooms().On(PutCanonical, 403, Error("M_FORBIDDEN"));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);

        Assert.Equal((200, "{}"), await AskAsync(service, Alias));
        Assert.Contains(service.WarningsAndErrors, said => said.Contains("works, but could not be made the main alias", StringComparison.Ordinal));

        homeserver.On(PutCanonical, "{}");
        await Wait.UntilAsync(() => Makings(service).Count(call => call.Line == PutCanonical) == 2, "tried again", () => time.Advance(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_joiner_who_hangs_up_cancels_nothing()
    {
        var release = new TaskCompletionSource();
        var homeserver = MakesRooms().On(CreateRoom, async _ =>
        {
            await release.Task;
            return new(200, MadeTea);
        });
        using var service = new ServiceUnderTest(homeserver: homeserver);
        using var hangUp = new CancellationTokenSource();
        var asked = service.Client.GetAsync($"/_matrix/app/v1/rooms/{Uri.EscapeDataString(Alias)}", hangUp.Token);
        await Wait.UntilAsync(() => Makings(service).Count > 0, "the room is being made");
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        release.SetResult();

        await Wait.UntilAsync(() => Makings(service).Count == 3, "the room has its alias");
    }

    [Theory]
    [InlineData("3", "{}")]
    [InlineData(null, """{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":3000}""")]
    public async Task A_homeserver_that_asks_for_patience_gets_it(string? retryAfter, string body)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var calls = 0;
        var homeserver = MakesRooms().On(CreateRoom, _ => Task.FromResult(++calls == 1 ? new StubHomeserver.Response(429, body, retryAfter) : new(200, MadeTea)));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var begin = time.GetUtcNow();
        var asked = AskAsync(service, Alias);
        await Wait.UntilAsync(() => asked.IsCompleted, "the room is made", () => time.Advance(TimeSpan.FromMilliseconds(100)));

        Assert.Equal((200, "{}"), await asked);
        Assert.Equal(2, calls);
        Assert.InRange(time.GetUtcNow() - begin, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task An_alias_is_put_again_after_a_passing_error_and_a_room_is_not_made_twice()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var puts = 0;
        var homeserver = MakesRooms().On(PutAlias, _ => Task.FromResult(++puts < 3 ? new StubHomeserver.Response(502, "<html>") : new(200, "{}")));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var asked = AskAsync(service, Alias);
        await Wait.UntilAsync(() => asked.IsCompleted, "the room is made", () => time.Advance(TimeSpan.FromMilliseconds(100)));

        Assert.Equal((200, "{}"), await asked);
        Assert.Equal([CreateRoom, PutAlias, PutAlias, PutAlias, PutCanonical], Makings(service).Select(call => call.Line));
    }

    [Fact]
    public async Task However_slow_the_homeserver_is_it_has_an_answer_within_its_minute()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var never = new TaskCompletionSource<StubHomeserver.Response>();
        var homeserver = MakesRooms().On(CreateRoom, _ => never.Task);
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var asked = AskAsync(service, Alias);
        await Wait.UntilAsync(() => Makings(service).Count > 0, "the room is being made");
        var begin = time.GetUtcNow();
        await Wait.UntilAsync(() => asked.IsCompleted, "an answer", () => time.Advance(TimeSpan.FromMilliseconds(500)));

        Assert.True((await asked).Status >= 500);
        Assert.True(time.GetUtcNow() - begin < TimeSpan.FromSeconds(60));
    }

    private static StubHomeserver MakesRooms() => new StubHomeserver().WithoutAliases()
        .On(CreateRoom, MadeTea)
        .On("PUT /_matrix/client/v3/directory/room/*", "{}")
        .On(PutCanonical, """{"event_id":"$canonical"}""");

    private static Task<(int Status, string Body)> AskAsync(ServiceUnderTest service, string alias) =>
        service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");

    private static List<StubHomeserver.Request> Makings(ServiceUnderTest service) =>
        [.. service.Homeserver.Calls.Where(call => call.Line == CreateRoom || call.Line.StartsWith("PUT ", StringComparison.Ordinal))];

    private static Task ServiceKnowsItselfAsync(ServiceUnderTest service)
    {
        Assert.NotNull(service.Client);
        return Wait.UntilAsync(() => service.Logged.Any(e => e.RenderMessage().Contains("knows this service", StringComparison.Ordinal)), "it knows who it is");
    }

    private static Dictionary<string, string> AtMost(int rooms) => new() { ["LoggingService:RoomsPerHour"] = $"{rooms}" };

    private static Dictionary<string, string> Moderated() => new() { ["LoggingService:Moderators:0"] = "@alice:localhost" };

    private static string Error(string errcode) => $$"""{"errcode":"{{errcode}}","error":"no"}""";

    private static string UsersOf(StubHomeserver.Request call)
    {
        using var room = JsonDocument.Parse(call.Body);
        return room.RootElement.GetProperty("power_level_content_override").GetProperty("users").GetRawText();
    }
}
