using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Links follow aliases that are moved, removed and added, within a minute and with a line in the rooms' logs.</summary>
public class AliasChangeTests
{
    private const string Tea = "#logged_tea:localhost";
    private const string Milk = "#logged_milk:localhost";
    private const string Added = "*** the room got the alias #logged_milk:localhost";
    private const string Removed = "*** the alias #logged_tea:localhost was removed";
    private readonly string _room = Some.RoomId();
    private readonly string _other = Some.RoomId();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases()
        .On("POST /_matrix/client/v3/join/*", 403, """{"errcode":"M_FORBIDDEN","error":"You are not invited to this room."}""");

    [Fact]
    public async Task A_moved_alias_is_linked_to_the_new_room_within_a_minute_without_an_event()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkTeaAsync(service);

        _homeserver.Alias(Tea, _other);
        var begin = _time.GetUtcNow();
        await UntilAsync(() => Link(service, "logged_tea") == _other, "the link leads to the new room");
        Assert.True(_time.GetUtcNow() - begin <= TimeSpan.FromSeconds(70));
        await service.CaughtUpAsync();

        Assert.Equal($"*** the alias {Tea} was moved to {_other}", service.Lines(_room)[^1]);
        Assert.Equal([$"*** the alias {Tea} was moved here from {_room}"], service.Lines("logged_tea"));
        Assert.Contains("<@alice:localhost> before", service.Lines(_room));
    }

    [Fact]
    public async Task The_link_of_an_alias_that_was_removed_goes_within_a_minute_and_the_days_stay()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkTeaAsync(service);

        Remove(Tea);
        var begin = _time.GetUtcNow();
        await UntilAsync(() => Link(service, "logged_tea") is null, "the link is removed");
        Assert.True(_time.GetUtcNow() - begin <= TimeSpan.FromSeconds(70));
        await service.CaughtUpAsync();
        Assert.Equal(Removed, service.Lines(_room)[^1]);

        // It is not asked for any more, and is linked when it is back.
        _homeserver.Alias(Tea, _room);
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        await UntilAsync(() => Link(service, "logged_tea") == _room, "the link is back");
        await service.CaughtUpAsync();
        Assert.Equal($"*** the room got the alias {Tea}", service.Lines(_room)[^1]);
    }

    [Fact]
    public async Task An_alias_that_was_seen_as_removed_while_it_was_moved_is_linked_at_the_first_event_of_the_new_room()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkTeaAsync(service);
        Remove(Tea);
        await UntilAsync(() => Link(service, "logged_tea") is null, "the link is removed");
        _homeserver.Alias(Tea, _other);
        await PushAsync(service, Some.Message(_other, "here now"));
        await UntilAsync(() => Link(service, "logged_tea") == _other, "the link leads to the new room");
        Assert.Equal("<@alice:localhost> here now", service.Lines("logged_tea")[0]);
    }

    [Fact]
    public async Task Aliases_of_a_room_that_becomes_readable_for_all_are_found_within_a_minute()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkTeaAsync(service);
        _homeserver.AliasesOf(_room, Tea, Milk);
        await PushAsync(
            service, Some.State(_room, "m.room.history_visibility", """{"history_visibility":"world_readable"}"""));
        await UntilAsync(() => Link(service, "logged_milk") == _room, "the link of the second alias");

        _homeserver.AliasesOf(_room, Tea, Milk, "#logged_cake:localhost").Alias(Milk, _room);
        var begin = _time.GetUtcNow();
        await UntilAsync(() => Link(service, "logged_cake") == _room, "the link of the third alias");
        Assert.True(_time.GetUtcNow() - begin <= TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task An_alias_that_was_removed_and_is_back_is_found_within_a_minute_without_an_event()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkTeaAsync(service);
        Remove(Tea);
        await UntilAsync(() => Link(service, "logged_tea") is null, "the link is removed");
        var lookups = Asked();
        await PushAsync(service, Some.Message(_other, "here"));
        await UntilAsync(() => Asked() > lookups, "the check at the first event");
        _homeserver.Alias(Tea, _other);
        var begin = _time.GetUtcNow();
        await UntilAsync(() => Link(service, "logged_tea") == _other, "the link leads to the new room");
        Assert.True(_time.GetUtcNow() - begin <= TimeSpan.FromSeconds(70));

        // Not for ever.
        Remove(Tea);
        await UntilAsync(() => Link(service, "logged_tea") is null, "the link is removed again");
        _time.Advance(TimeSpan.FromHours(2));
        var asked = Asked();
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.InRange(Asked(), asked, asked + 1);

        int Asked() => _homeserver.Calls.Count(call => call.Line == StubHomeserver.AliasLine(Tea));
    }

    [Fact]
    public async Task A_404_that_is_not_the_homeserver_s_does_not_remove_an_alias()
    {
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await LinkTeaAsync(service);
        _homeserver.On(StubHomeserver.AliasLine(Tea), 404, "<html>no such page");
        var asked = Asked();
        await UntilAsync(() => Asked() > asked + 1, "two polls");
        Assert.Equal(_room, Link(service, "logged_tea"));

        int Asked() => _homeserver.Calls.Count(call => call.Line == StubHomeserver.AliasLine(Tea));
    }

    [Fact]
    public async Task Another_alias_of_a_room_that_our_user_joined_is_linked_and_noted_and_its_removal_is_too()
    {
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""").AliasesOf(_room, Tea);
        using var service = new ServiceUnderTest(_time, homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "before"));
        Assert.Equal(["<@alice:localhost> before"], service.Lines("logged_tea"));

        _homeserver.AliasesOf(_room, Tea, Milk);
        await UntilAsync(() => Link(service, "logged_milk") == _room, "the link of the new alias");
        await service.CaughtUpAsync();
        Assert.Equal(["<@alice:localhost> before", Added], service.Lines("logged_milk"));

        _homeserver.AliasesOf(_room, Milk);
        await UntilAsync(() => Link(service, "logged_tea") is null, "the link of the old alias is removed");
        await PushAsync(service, Some.Message(_room, "after"));
        Assert.Equal(["<@alice:localhost> before", Added, Removed, "<@alice:localhost> after"], service.Lines("logged_milk"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_alias_that_changed_while_the_service_was_down_is_found_at_the_start(bool isKilled)
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
        await LinkTeaAsync(service);
        _homeserver.Alias(Milk, _other);
        await PushAsync(service, Some.CanonicalAlias(_other, Milk));
        await Wait.UntilAsync(() => Link(service, "logged_milk") == _other, "the link");
        folder = await service.StopAsync(folder, isKilled);
        using (folder)
        {
            _homeserver.Alias(Tea, _other);
            Remove(Milk);
            using var restarted = new ServiceUnderTest(folder: folder, homeserver: _homeserver);
            Assert.NotNull(restarted.Client);
            await Wait.UntilAsync(
                () => Link(restarted, "logged_tea") == _other && Link(restarted, "logged_milk") is null, "the links are right");
            await restarted.CaughtUpAsync();
            Assert.Equal($"*** the alias {Tea} was moved to {_other}", restarted.Lines(_room)[^1]);
            Assert.Equal(
                [$"*** the alias {Tea} was moved here from {_room}", $"*** the alias {Milk} was removed"],
                restarted.Lines(_other).TakeLast(2).Order(StringComparer.Ordinal).Reverse());
        }
    }

    [Fact]
    public async Task Rooms_lists_a_room_without_its_alias_by_its_last_one()
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(_time, folder: folder, homeserver: _homeserver);
        await LinkTeaAsync(service);
        _homeserver.Alias(Tea, _other);
        await UntilAsync(() => Link(service, "logged_tea") == _other, "the link leads to the new room");
        folder = await service.StopAsync(folder, isKilled: false);
        await using var process = ServiceProcess.Start(folder.Path, "rooms");
        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Matches($"^#logged_tea .* {_other}$", process.StandardOutput[1]);
        Assert.Matches($@"^\(#logged_tea\) .* {_room}$", process.StandardOutput[2]);
        folder.Dispose();
    }

    [Fact]
    public async Task Rooms_knows_the_last_alias_of_a_room_whose_logging_stopped()
    {
        var folder = TempFolder.ForCaller();
        _homeserver.On("GET /_matrix/client/v3/joined_rooms", $$"""{"joined_rooms":["{{_room}}"]}""").AliasesOf(_room, Tea)
            .On($"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(_room)}/state/m.room.create", """{"sender":"@alice:localhost"}""");
        var service = new ServiceUnderTest(_time, folder: folder, homeserver: _homeserver);
        await PushAsync(service, Some.Message(_room, "before"));
        _homeserver.AliasesOf(_room);
        await UntilAsync(() => service.Lines(_room)[^1] == "*** logging stopped: the last alias is gone", "logging has stopped");
        await UntilAsync(() => Link(service, "logged_tea") is null, "the link is removed");
        folder = await service.StopAsync(folder, isKilled: false);
        await using var process = ServiceProcess.Start(folder.Path, "rooms");
        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Matches($@"^\(#logged_tea\) +- +alias gone .* {_room}$", process.StandardOutput[1]);
        folder.Dispose();
    }

    private async Task LinkTeaAsync(ServiceUnderTest service)
    {
        _homeserver.Alias(Tea, _room);
        await PushAsync(service, Some.Message(_room, "before"), Some.CanonicalAlias(_room, Tea));
        await Wait.UntilAsync(() => Link(service, "logged_tea") == _room, "the link");
    }

    private void Remove(string alias) =>
        _homeserver.On(StubHomeserver.AliasLine(alias), 404, """{"errcode":"M_NOT_FOUND","error":"Room alias not found"}""");

    private Task UntilAsync(Func<bool> condition, string what) =>
        Wait.UntilAsync(condition, what, () => _time.Advance(TimeSpan.FromSeconds(1)));

    private static string? Link(ServiceUnderTest service, string name) => new FileInfo(Path.Combine(service.Logs, name)).LinkTarget;

    private static async Task PushAsync(ServiceUnderTest service, params IEnumerable<string> events) =>
        Assert.Equal((200, "{}"), await service.PushAsync(Guid.NewGuid().ToString("N"), events));
}
