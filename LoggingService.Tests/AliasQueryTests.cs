using System.Text.Json;
using LoggingService.Http;
using LoggingService.Rooms;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static LoggingService.Tests.Support.AliasQueries;

namespace LoggingService.Tests;

/// <summary>The homeserver queries an alias that does not exist, and its room is created.</summary>
public class AliasQueryTests
{
    [Fact]
    public async Task A_missing_room_is_created_and_then_gets_its_alias()
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());

        Assert.Equal((200, "{}"), await QueryAsync(service, Alias));

        Assert.Equal([CreateRoom, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
        using var room = JsonDocument.Parse(Creations(service)[0].Body);
        Assert.False(room.RootElement.TryGetProperty("room_alias_name", out _));
        Assert.Equal("public_chat", room.RootElement.GetProperty("preset").GetString());
        Assert.Equal("logged_tea", room.RootElement.GetProperty("name").GetString());
        Assert.Equal("Messages in this room are logged by @logging:localhost.", room.RootElement.GetProperty("topic").GetString());
        var levels = room.RootElement.GetProperty("power_level_content_override");
        Assert.Equal(100, levels.GetProperty("events").GetProperty("m.room.encryption").GetInt32());
        Assert.Equal(50, levels.GetProperty("events").GetProperty("m.room.name").GetInt32());
        Assert.Equal(50, levels.GetProperty("events").GetProperty("m.room.history_visibility").GetInt32());
        Assert.False(levels.TryGetProperty("users", out _));
        Assert.Equal(TeaRoom, Creations(service)[1].Body);
        Assert.Equal($$"""{"alias":"{{Alias}}"}""", Creations(service)[2].Body);
    }

    [Theory]
    [InlineData("", "shared")]
    [InlineData("world_readable", "world_readable")]
    [InlineData("Joined", "joined")]
    public async Task The_setting_says_who_may_read_the_history_of_a_new_room(string setting, string visibility)
    {
        using var service = new ServiceUnderTest(
            homeserver: CreatingRooms(), settings: new() { ["LoggingService:HistoryVisibility"] = setting });
        await QueryAsync(service, Alias);

        using var room = JsonDocument.Parse(Creations(service)[0].Body);
        var state = Assert.Single(room.RootElement.GetProperty("initial_state").EnumerateArray());
        Assert.Equal("m.room.history_visibility", state.GetProperty("type").GetString());
        Assert.Equal("", state.GetProperty("state_key").GetString());
        Assert.Equal(visibility, state.GetProperty("content").GetProperty("history_visibility").GetString());
    }

    [Fact]
    public async Task Our_calls_have_the_token_only_in_the_header()
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());
        await QueryAsync(service, Alias);

        Assert.All(Creations(service), call => Assert.Equal($"Bearer {ServiceUnderTest.AsToken}", call.Authorization));
        Assert.DoesNotContain(service.Homeserver.Calls, call =>
            (call.Line + call.Query).Contains(ServiceUnderTest.AsToken, StringComparison.Ordinal));
        Assert.DoesNotContain(service.Logged, e => e.RenderMessage().Contains(ServiceUnderTest.AsToken, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_log_of_a_new_room_is_linked_from_its_alias()
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());
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
        var homeserver = CreatingRooms().On(CreateRoom, async _ =>
        {
            await release.Task;
            return new(200, TeaRoom);
        });
        using var service = new ServiceUnderTest(homeserver: homeserver);
        await UntilIdentifiedAsync(service);

        // Not over HTTP: all queries start before the room exists.
        var rooms = service.Services.GetRequiredService<RoomCreator>();
        var queries = Enumerable.Range(0, 20).Select(_ => rooms.EnsureExistsAsync(Alias)).ToList();
        release.SetResult();

        Assert.All(await Task.WhenAll(queries), result => Assert.Same(MatrixResults.Ok, result));
        Assert.Equal(3, Creations(service).Count);
    }

    [Fact]
    public async Task A_deleted_alias_is_created_again()
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());

        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal(2, Creations(service).Count(call => call.Line == CreateRoom));
    }

    [Theory]
    [InlineData(409, "M_UNKNOWN")]
    [InlineData(400, "M_ROOM_IN_USE")]
    public async Task An_alias_taken_during_the_creation_is_200(int status, string errcode)
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms().On(PutAlias, status, Error(errcode)));

        Assert.Equal((200, "{}"), await QueryAsync(service, Alias));
        Assert.Equal([CreateRoom, PutAlias], Creations(service).Select(call => call.Line));
        Assert.False(Path.Exists(Path.Combine(service.Logs, "logged_tea")));
    }

    [Fact]
    public async Task Power_levels_list_the_creator_and_the_moderators()
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms(), settings: Moderated());
        await QueryAsync(service, Alias);

        Assert.Equal("""{"@logging:localhost":100,"@alice:localhost":50}""", UsersOf(Creations(service)[0]));
    }

    [Fact]
    public async Task Power_levels_omit_the_creator_where_the_homeserver_requires_it()
    {
        // Room version 12.
        var homeserver = CreatingRooms()
            .On(CreateRoom, call => Task.FromResult(call.Body.Contains("\"@logging:localhost\":", StringComparison.Ordinal)
            ? new StubHomeserver.Response(400, Error("M_UNKNOWN"))
            : new(200, TeaRoom)));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: Moderated());

        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal([CreateRoom, CreateRoom, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
        Assert.Equal("""{"@alice:localhost":50}""", UsersOf(Creations(service)[1]));
    }

    [Fact]
    public async Task A_client_that_disconnects_cancels_no_creation()
    {
        var release = new TaskCompletionSource();
        var homeserver = CreatingRooms().On(CreateRoom, async _ =>
        {
            await release.Task;
            return new(200, TeaRoom);
        });
        using var service = new ServiceUnderTest(homeserver: homeserver);
        using var disconnect = new CancellationTokenSource();
        var query = service.Client.GetAsync($"/_matrix/app/v1/rooms/{Uri.EscapeDataString(Alias)}", disconnect.Token);
        await Wait.UntilAsync(() => Creations(service).Count > 0, "the creation starts");
        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        release.SetResult();

        await Wait.UntilAsync(() => Creations(service).Count == 3, "the room has its alias");
    }

    private static Task UntilIdentifiedAsync(ServiceUnderTest service)
    {
        Assert.NotNull(service.Client);
        return Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage().Contains("knows this service", StringComparison.Ordinal)),
            "the service is identified");
    }

    private static Dictionary<string, string> Moderated() => new() { ["LoggingService:Moderators:0"] = "@alice:localhost" };

    private static string UsersOf(StubHomeserver.Request call)
    {
        using var room = JsonDocument.Parse(call.Body);
        return room.RootElement.GetProperty("power_level_content_override").GetProperty("users").GetRawText();
    }
}
