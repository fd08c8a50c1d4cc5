using System.Text.Json;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>An upgraded room is followed to its replacement, with its aliases, a note in both logs and links between them.</summary>
public class RoomUpgradeTests
{
    private const string Tea = "#logged_tea:localhost";
    private readonly string _old = Some.RoomId();
    private readonly string _new = Some.RoomId();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/join/*", """{"room_id":"!joined:localhost"}""")
        .On("POST /_matrix/client/v3/rooms/*", "{}");

    [Fact]
    public async Task A_replacement_to_which_the_homeserver_moves_the_alias_is_joined_verified_noted_and_linked()
    {
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        await LinkAsync(service);
        _homeserver.Alias(Tea, _new);
        await PushAsync(service, Tombstone(_old, _new));
        await UntilFollowedAsync(service, _old, _new);

        Assert.Equal(_new, Link(service, "logged_tea"));
        Assert.Contains($"*** the room goes on as {_new}", service.Lines(_old));
        Assert.Contains($"*** the room goes on from {_old}", service.Lines(_new));
        Assert.Contains(
            _homeserver.Calls,
            call => call.Line == $"POST /_matrix/client/v3/join/{Uri.EscapeDataString(_new)}" && call.Query.Contains("via=localhost"));
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line.StartsWith("DELETE ", StringComparison.Ordinal));
        Assert.Equal(
            service.Lines(_old), File.ReadAllLines(Path.Combine(service.Logs, _new, "previous", "latest.log")).Select(line => line[27..]));
    }

    [Fact]
    public async Task The_aliases_that_the_homeserver_does_not_move_are_moved_until_they_lead_somewhere()
    {
        var puts = 0;
        _homeserver.On(StubHomeserver.AliasLine(Tea, "DELETE"), _ =>
        {
            RemoveAlias();
            return Task.FromResult<StubHomeserver.Response>(new(200, "{}"));
        });
        _homeserver.On(StubHomeserver.AliasLine(Tea, "PUT"), request =>
        {
            if (Interlocked.Increment(ref puts) < 3)
            {
                return Task.FromResult<StubHomeserver.Response>(new(403, """{"errcode":"M_FORBIDDEN","error":"not yet"}"""));
            }

            _homeserver.Alias(Tea, JsonElement.Parse(request.Body).GetProperty("room_id").GetString()!);
            return Task.FromResult<StubHomeserver.Response>(new(200, "{}"));
        });
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        await LinkAsync(service);
        await PushAsync(service, Tombstone(_old, _new));
        await UntilFollowedAsync(service, _old, _new);
        Assert.Equal(3, puts);
        Assert.Equal(_new, Link(service, "logged_tea"));
        Assert.DoesNotContain(service.Lines(_old), line => line.EndsWith("was removed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_user_s_query_for_an_alias_that_is_being_moved_creates_no_room()
    {
        var status = 403;
        _homeserver.On(StubHomeserver.AliasLine(Tea, "DELETE"), _ =>
        {
            RemoveAlias();
            return Task.FromResult<StubHomeserver.Response>(new(200, "{}"));
        });
        _homeserver.On(StubHomeserver.AliasLine(Tea, "PUT"), _ =>
        {
            if (status == 200)
            {
                _homeserver.Alias(Tea, _new);
            }

            return Task.FromResult<StubHomeserver.Response>(new(status, """{"errcode":"M_FORBIDDEN","error":"not yet"}"""));
        });
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        await LinkAsync(service);
        await PushAsync(service, Tombstone(_old, _new));
        await Wait.UntilAsync(
            () => _homeserver.Calls.Any(call => call.Line == StubHomeserver.AliasLine(Tea, "PUT")), "an attempt", Advance);
        status = 200;
        Assert.Equal(200, (await AliasQueries.QueryAsync(service, Tea)).Status);
        await UntilFollowedAsync(service, _old, _new);
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line == AliasQueries.CreateRoom);
    }

    [Fact]
    public async Task Two_upgrades_in_a_row_are_followed_to_the_last_room()
    {
        var last = Some.RoomId();
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        Creates(last, _new);
        await LinkAsync(service);
        _homeserver.Alias(Tea, _new);
        await PushAsync(service, Tombstone(_old, _new));
        await PushAsync(service, Some.Message(_new, "in between"));
        _homeserver.Alias(Tea, last);
        await PushAsync(service, Tombstone(_new, last));
        await UntilFollowedAsync(service, _old, _new);
        await UntilFollowedAsync(service, _new, last);
        await Wait.UntilAsync(() => Link(service, "logged_tea") == last, "the link leads to the last room", Advance);
        Assert.Contains($"*** the room goes on from {_new}", service.Lines(last));
    }

    [Theory]
    [InlineData("""{"room_version":"11"}""")]
    [InlineData("""{"predecessor":{"room_id":"!other:localhost"}}""")]
    [InlineData("""{"predecessor":"!other:localhost"}""")]
    public async Task A_room_that_does_not_name_the_old_one_as_its_predecessor_is_left_and_gets_no_alias(string create)
    {
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        _homeserver.On(CreateLine(_new), create);
        await LinkAsync(service);
        await PushAsync(service, Tombstone(_old, _new));
        await Wait.UntilAsync(
            () => _homeserver.Calls.Any(call => call.Line == $"POST /_matrix/client/v3/rooms/{Uri.EscapeDataString(_new)}/leave"),
            "the service leaves",
            Advance);
        var told = $"*** the replacement {_new} does not name this room as its predecessor: it is not followed";
        await Wait.UntilAsync(() => service.Lines(_old)[^1] == told, "the note", Advance);
        Assert.Null(Link(service, Path.Combine(_old, "next")));
        Assert.Equal(_old, Link(service, "logged_tea"));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains("is not the replacement of", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_replacement_that_cannot_be_joined_is_told_once_and_followed_when_it_can()
    {
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        _homeserver.On("POST /_matrix/client/v3/join/*", 403, """{"errcode":"M_FORBIDDEN","error":"You are not invited"}""");
        await LinkAsync(service);
        await PushAsync(service, Tombstone(_old, _new));
        var told = $"*** the replacement {_new} cannot be joined: it is logged if an alias leads to it";
        await Wait.UntilAsync(() => service.Lines(_old).Contains(told), "the note", Advance);

        _homeserver.On("POST /_matrix/client/v3/join/*", "{}").Alias(Tea, _new);
        await UntilFollowedAsync(service, _old, _new);
        Assert.Single(service.Lines(_old), told);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upgrade_whose_tombstone_the_homeserver_did_not_push_is_found_by_the_alias(bool isUpgrade)
    {
        using var service = new ServiceUnderTest(_time, homeserver: Upgraded());
        if (!isUpgrade)
        {
            Creates(_new, "!other:localhost");
        }

        await LinkAsync(service);
        _homeserver.Alias(Tea, _new);
        if (isUpgrade)
        {
            await UntilFollowedAsync(service, _old, _new);
            Assert.Contains($"*** the room goes on from {_old}", service.Lines(_new));
            return;
        }

        await Wait.UntilAsync(
            () => _homeserver.Calls.Any(call => call.Line == $"POST /_matrix/client/v3/rooms/{Uri.EscapeDataString(_new)}/leave"),
            "the service leaves",
            Advance);
        await Wait.UntilAsync(() => service.Lines(_old)[^1] == $"*** the alias {Tea} was moved to {_new}", "the note", Advance);
        Assert.Null(Link(service, Path.Combine(_old, "next")));
    }

    [Theory]
    [InlineData("""{"body":"closed"}""")]
    [InlineData("""{"body":"moved","replacement_room":"#logged_tea:localhost"}""")]
    [InlineData("""{"body":"moved","replacement_room":7}""")]
    public async Task A_tombstone_without_a_room_is_not_followed(string content)
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkAsync(service);
        await PushAsync(service, Some.State(_old, "m.room.tombstone", content));
        await PushAsync(service, Some.Message(_old, "after"));
        Assert.Equal("<@alice:localhost> after", service.Lines(_old)[^1]);
        Assert.DoesNotContain(_homeserver.Calls, call => call.Line.StartsWith("POST /_matrix/client/v3/join/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_upgrade_that_a_restart_interrupted_is_followed_by_the_next_start(bool isKilled)
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(_time, folder: folder, homeserver: Upgraded());
        _homeserver.On("POST /_matrix/client/v3/join/*", 502, "<html>Bad Gateway");
        await LinkAsync(service);
        await PushAsync(service, Tombstone(_old, _new));
        folder = await service.StopAsync(folder, isKilled);
        using (folder)
        {
            // The homeserver crashed between the removal of the alias and its creation.
            RemoveAlias();
            _homeserver.On("POST /_matrix/client/v3/join/*", "{}").On(StubHomeserver.AliasLine(Tea, "PUT"), _ =>
            {
                _homeserver.Alias(Tea, _new);
                return Task.FromResult<StubHomeserver.Response>(new(200, "{}"));
            });
            using var restarted = new ServiceUnderTest(_time, folder: folder, homeserver: _homeserver);
            Assert.NotNull(restarted.Client);
            await Wait.UntilAsync(() => Link(restarted, Path.Combine(_old, "next")) is not null, "the upgrade is followed", Advance);
            Assert.Equal($"../{_new}", Link(restarted, Path.Combine(_old, "next")));
        }
    }

    [Fact]
    public void The_folder_of_an_upgraded_room_without_a_day_is_removed_with_its_links()
    {
        using var logs = TempFolder.ForCaller();
        var (old, replacement) = ("!old:localhost", "!new:localhost");
        Directory.CreateDirectory(logs[old]);
        Directory.CreateDirectory(logs[replacement]);
        File.WriteAllText(logs[old, "20240101.log"], "");
        File.CreateSymbolicLink(logs[old, "latest.log"], "20240101.log");
        File.CreateSymbolicLink(logs[old, "next"], $"../{replacement}");
        File.WriteAllText(logs[replacement, "20260101.log"], "");
        File.CreateSymbolicLink(logs[replacement, "previous"], $"../{old}");

        Assert.Equal(1, Retention.RemoveDaysBefore(logs.Path, new DateOnly(2025, 1, 1)));
        Assert.False(Directory.Exists(logs[old]));
        Assert.True(File.Exists(logs[replacement, "20260101.log"]));
    }

    private StubHomeserver Upgraded()
    {
        Creates(_new, _old);
        return _homeserver;
    }

    private void Creates(string roomId, string predecessor) =>
        _homeserver.On(CreateLine(roomId), $$$"""{"room_version":"11","predecessor":{"room_id":"{{{predecessor}}}","event_id":"$t"}}""");

    private static string CreateLine(string roomId) => $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(roomId)}/state/m.room.create";

    private void RemoveAlias() =>
        _homeserver.On(StubHomeserver.AliasLine(Tea), 404, """{"errcode":"M_NOT_FOUND","error":"Room alias not found"}""");

    private async Task LinkAsync(ServiceUnderTest service)
    {
        _homeserver.Alias(Tea, _old);
        await PushAsync(service, Some.Message(_old, "before"), Some.CanonicalAlias(_old, Tea));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _old, "the link");
    }

    private async Task UntilFollowedAsync(ServiceUnderTest service, string old, string replacement)
    {
        await Wait.UntilAsync(() => Link(service, Path.Combine(old, "next")) is not null, "the upgrade is followed", Advance);
        await service.CaughtUpAsync();
        Assert.Equal($"../{replacement}", Link(service, Path.Combine(old, "next")));
        Assert.Equal($"../{old}", Link(service, Path.Combine(replacement, "previous")));
    }

    private void Advance() => _time.Advance(TimeSpan.FromSeconds(2));

    private static string Tombstone(string old, string replacement) =>
        Some.State(old, "m.room.tombstone", $$"""{"body":"moved","replacement_room":"{{replacement}}"}""");

    private static string? Link(ServiceUnderTest service, string name) => new FileInfo(Path.Combine(service.Logs, name)).LinkTarget;

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));
}
