using System.Text.Json;
using LoggingService.Http;
using LoggingService.Rooms;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>The homeserver queries an alias that does not exist, and its room is created.</summary>
public class AliasQueryTests
{
    private const string Alias = "#logged_tea:localhost";
    private const string CreateRoom = "POST /_matrix/client/v3/createRoom";
    private const string PutCanonical = "PUT /_matrix/client/v3/rooms/%21tea%3Alocalhost/state/m.room.canonical_alias";
    private const string TeaRoom = """{"room_id":"!tea:localhost"}""";
    private static readonly string PutAlias = StubHomeserver.AliasLine(Alias, "PUT");

    [Fact]
    public async Task A_missing_room_is_created_and_then_gets_its_alias()
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());

        Assert.Equal((200, "{}"), await QueryAsync(service, Alias));

        Assert.Equal([CreateRoom, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
        using var room = JsonDocument.Parse(Creations(service)[0].Body);
        Assert.False(room.RootElement.TryGetProperty("room_alias_name", out _));
        Assert.Equal("public_chat", room.RootElement.GetProperty("preset").GetString());
        Assert.Equal("logged_tea", room.RootElement.GetProperty("name").GetString());
        Assert.Contains("logged", room.RootElement.GetProperty("topic").GetString(), StringComparison.Ordinal);
        var levels = room.RootElement.GetProperty("power_level_content_override");
        Assert.Equal(100, levels.GetProperty("events").GetProperty("m.room.encryption").GetInt32());
        Assert.Equal(50, levels.GetProperty("events").GetProperty("m.room.name").GetInt32());
        Assert.False(levels.TryGetProperty("users", out _));
        Assert.Equal(TeaRoom, Creations(service)[1].Body);
        Assert.Equal($$"""{"alias":"{{Alias}}"}""", Creations(service)[2].Body);
    }

    [Fact]
    public async Task Our_calls_have_the_token_only_in_the_header()
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());
        await QueryAsync(service, Alias);

        Assert.All(Creations(service), call => Assert.Equal($"Bearer {ServiceUnderTest.AsToken}", call.Authorization));
        Assert.DoesNotContain(service.Homeserver.Calls, call =>
            (call.Line + call.Query).Contains(ServiceUnderTest.AsToken, StringComparison.Ordinal));
        Assert.DoesNotContain(service.Logged, e => e.RenderMessage().Contains(ServiceUnderTest.AsToken, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_log_of_a_new_room_is_linked_from_its_alias()
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());
        await QueryAsync(service, Alias);

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
    public async Task An_alias_outside_the_namespace_is_not_created(string alias)
    {
        using var service = new ServiceUnderTest();
        await UntilIdentifiedAsync(service);

        Assert.Equal(404, (await QueryAsync(service, alias)).Status);
        Assert.Empty(Creations(service));
    }

    [Fact]
    public async Task Concurrent_queries_share_one_creation()
    {
        var release = new TaskCompletionSource();
        var homeserver = CreatesRooms().On(CreateRoom, async _ =>
        {
            await release.Task;
            return new(200, TeaRoom);
        });
        using var service = new ServiceUnderTest(homeserver: homeserver);
        await UntilIdentifiedAsync(service);

        // Without HTTP, so that all queries certainly start before the room exists.
        var rooms = service.Services.GetRequiredService<RoomCreator>();
        var asked = Enumerable.Range(0, 20).Select(_ => rooms.EnsureExistsAsync(Alias)).ToList();
        release.SetResult();

        Assert.All(await Task.WhenAll(asked), answer => Assert.Same(MatrixResults.Ok, answer));
        Assert.Equal(3, Creations(service).Count);
    }

    [Fact]
    public async Task A_deleted_alias_is_created_again()
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms());

        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal(2, Creations(service).Count(call => call.Line == CreateRoom));
    }

    [Theory]
    [InlineData(409, "M_UNKNOWN")]
    [InlineData(400, "M_ROOM_IN_USE")]
    public async Task An_alias_taken_meanwhile_is_200(int status, string errcode)
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms().On(PutAlias, status, Error(errcode)));

        Assert.Equal((200, "{}"), await QueryAsync(service, Alias));
        Assert.Equal([CreateRoom, PutAlias], Creations(service).Select(call => call.Line));
        Assert.False(Path.Exists(Path.Combine(service.Logs, "logged_tea")));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(0)]
    public async Task A_failed_creation_can_be_retried(int status)
    {
        var homeserver = CreatesRooms().On(CreateRoom, _ => status == 0
            ? throw new HttpRequestException("the connection was closed")
            : Task.FromResult(new StubHomeserver.Response(status, Error("M_UNKNOWN"))));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: AtMost(1));

        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        Assert.Single(Creations(service));
        Assert.Contains(service.WarningsAndErrors, said => said.Contains("Failed to create the room for ", StringComparison.Ordinal));

        // The failure released its reservation.
        homeserver.On(CreateRoom, TeaRoom);
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
    }

    [Fact]
    public async Task A_failure_releases_its_own_reservation()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatesRooms();
        using var service = new ServiceUnderTest(time, homeserver: homeserver, settings: AtMost(2));
        Assert.Equal(200, (await QueryAsync(service, "#logged_1:localhost")).Status);
        time.Advance(TimeSpan.FromMinutes(50));
        homeserver.On(CreateRoom, 403, Error("M_FORBIDDEN"));
        Assert.Equal(502, (await QueryAsync(service, "#logged_2:localhost")).Status);

        // The hour of the first room has passed: two more can be created.
        homeserver.On(CreateRoom, TeaRoom);
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(200, (await QueryAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(200, (await QueryAsync(service, "#logged_4:localhost")).Status);
    }

    [Fact]
    public async Task No_more_rooms_than_the_limit_are_created_within_an_hour()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new ServiceUnderTest(time, homeserver: CreatesRooms(), settings: AtMost(2));
        Assert.Equal(200, (await QueryAsync(service, "#logged_1:localhost")).Status);
        Assert.Equal(200, (await QueryAsync(service, "#logged_2:localhost")).Status);

        Assert.Equal(404, (await QueryAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(404, (await QueryAsync(service, "#logged_4:localhost")).Status);
        Assert.Single(Warnings());
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(404, (await QueryAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(2, Warnings().Count());
        Assert.Equal(2, Creations(service).Count(call => call.Line == CreateRoom));

        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(200, (await QueryAsync(service, "#logged_3:localhost")).Status);

        IEnumerable<string> Warnings() =>
            service.WarningsAndErrors.Where(said => said.Contains("Room creation limit reached (2/hour)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Power_levels_list_the_creator_and_the_moderators()
    {
        using var service = new ServiceUnderTest(homeserver: CreatesRooms(), settings: Moderated());
        await QueryAsync(service, Alias);

        Assert.Equal("""{"@logging:localhost":100,"@alice:localhost":50}""", UsersOf(Creations(service)[0]));
    }

    [Fact]
    public async Task Power_levels_omit_the_creator_where_the_homeserver_requires_it()
    {
        // Room version 12.
        var homeserver = CreatesRooms()
            .On(CreateRoom, call => Task.FromResult(call.Body.Contains("\"@logging:localhost\":", StringComparison.Ordinal)
            ? new StubHomeserver.Response(400, Error("M_UNKNOWN"))
            : new(200, TeaRoom)));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: Moderated());

        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal([CreateRoom, CreateRoom, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
        Assert.Equal("""{"@alice:localhost":50}""", UsersOf(Creations(service)[1]));
    }

    [Fact]
    public async Task A_canonical_alias_that_fails_is_retried_in_the_background()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatesRooms().On(PutCanonical, 403, Error("M_FORBIDDEN"));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);

        Assert.Equal((200, "{}"), await QueryAsync(service, Alias));
        Assert.Contains(service.WarningsAndErrors, said => said.Contains(" as the canonical alias of ", StringComparison.Ordinal));

        homeserver.On(PutCanonical, "{}");
        await Wait.UntilAsync(
            () => Creations(service).Count(call => call.Line == PutCanonical) == 2,
            "the retry",
            () => time.Advance(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_client_that_disconnects_cancels_no_creation()
    {
        var release = new TaskCompletionSource();
        var homeserver = CreatesRooms().On(CreateRoom, async _ =>
        {
            await release.Task;
            return new(200, TeaRoom);
        });
        using var service = new ServiceUnderTest(homeserver: homeserver);
        using var disconnect = new CancellationTokenSource();
        var asked = service.Client.GetAsync($"/_matrix/app/v1/rooms/{Uri.EscapeDataString(Alias)}", disconnect.Token);
        await Wait.UntilAsync(() => Creations(service).Count > 0, "the creation starts");
        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        release.SetResult();

        await Wait.UntilAsync(() => Creations(service).Count == 3, "the room has its alias");
    }

    [Theory]
    [InlineData("3", "{}")]
    [InlineData("Tue, 01 Jan 2030 00:00:03 GMT", "{}")]
    [InlineData(null, """{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":3000}""")]
    public async Task Retry_After_is_honoured(string? retryAfter, string body)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var calls = 0;
        var homeserver = CreatesRooms()
            .On(CreateRoom, _ => Task.FromResult(++calls == 1 ? new StubHomeserver.Response(429, body, retryAfter) : new(200, TeaRoom)));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var begin = time.GetUtcNow();
        var asked = QueryAsync(service, Alias);
        await Wait.UntilAsync(() => asked.IsCompleted, "the room is created", () => time.Advance(TimeSpan.FromMilliseconds(100)));

        Assert.Equal((200, "{}"), await asked);
        Assert.Equal(2, calls);
        Assert.InRange(time.GetUtcNow() - begin, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Setting_the_alias_is_retried_and_creating_the_room_is_not()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var puts = 0;
        var homeserver = CreatesRooms()
            .On(PutAlias, _ => Task.FromResult(++puts < 3 ? new StubHomeserver.Response(502, "<html>") : new(200, "{}")));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var asked = QueryAsync(service, Alias);
        await Wait.UntilAsync(() => asked.IsCompleted, "the room is created", () => time.Advance(TimeSpan.FromMilliseconds(100)));

        Assert.Equal((200, "{}"), await asked);
        Assert.Equal([CreateRoom, PutAlias, PutAlias, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
    }

    [Fact]
    public async Task A_slow_creation_is_504_within_the_homeservers_timeout()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var never = new TaskCompletionSource<StubHomeserver.Response>();
        var homeserver = CreatesRooms().On(CreateRoom, _ => never.Task);
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var asked = QueryAsync(service, Alias);
        await Wait.UntilAsync(() => Creations(service).Count > 0, "the creation starts");
        var begin = time.GetUtcNow();
        await Wait.UntilAsync(() => asked.IsCompleted, "an answer", () => time.Advance(TimeSpan.FromMilliseconds(500)));

        Assert.True((await asked).Status >= 500);
        Assert.True(time.GetUtcNow() - begin < TimeSpan.FromSeconds(60));
    }

    private static StubHomeserver CreatesRooms() => new StubHomeserver().WithoutAliases()
        .On(CreateRoom, TeaRoom)
        .On("PUT /_matrix/client/v3/directory/room/*", "{}")
        .On(PutCanonical, """{"event_id":"$canonical"}""");

    private static Task<(int Status, string Body)> QueryAsync(ServiceUnderTest service, string alias) =>
        service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");

    private static List<StubHomeserver.Request> Creations(ServiceUnderTest service) =>
        [.. service.Homeserver.Calls.Where(call => call.Line == CreateRoom || call.Line.StartsWith("PUT ", StringComparison.Ordinal))];

    private static Task UntilIdentifiedAsync(ServiceUnderTest service)
    {
        Assert.NotNull(service.Client);
        return Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().Contains("knows this service", StringComparison.Ordinal)),
            "the service is identified");
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
