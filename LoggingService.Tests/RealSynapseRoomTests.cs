using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Which rooms of a real Synapse are logged, and under which names.</summary>
public class RealSynapseRoomTests
{
    [Fact]
    public async Task A_room_is_logged_from_when_it_gets_an_alias_and_the_link_follows_the_alias()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var oldRoom = await alice.CreatePublicRoomAsync();
        await alice.SayAsync(oldRoom, "before");
        await alice.PutAliasAsync("#logged_moving:localhost", oldRoom);
        await run.WaitUntilLoggedAsync(oldRoom, await alice.SayAsync(oldRoom, "after"));
        Assert.Equal(["<@alice:localhost> after"], run.Text(oldRoom));

        await alice.SetStateAsync(oldRoom, "m.room.canonical_alias", new { alias = "#logged_moving:localhost" });
        await run.WaitUntilAsync(() => run.Link("logged_moving") == oldRoom, "the link leads to the room");

        var newRoom = await alice.CreatePublicRoomAsync();
        await alice.DeleteAliasAsync("#logged_moving:localhost");
        await alice.PutAliasAsync("#logged_moving:localhost", newRoom);
        await alice.SetStateAsync(newRoom, "m.room.canonical_alias", new { alias = "#logged_moving:localhost" });
        await run.WaitUntilAsync(() => run.Link("logged_moving") == newRoom, "the link leads to the new room");
        await run.WaitUntilLoggedAsync(newRoom, await alice.SayAsync(newRoom, "here now"));
        Assert.Contains("<@alice:localhost> here now", run.Text(newRoom));
    }

    [Fact]
    public async Task A_private_room_with_a_logged_alias_is_logged_without_the_membership_of_our_user()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = await alice.CreateRoomAsync(new { preset = "private_chat", room_alias_name = "logged_private" });

        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "among ourselves"));
        await run.WaitUntilAsync(() => run.Link("logged_private") == room, "the link leads to the room");

        Assert.Contains("<@alice:localhost> among ourselves", run.Text(room));
    }

    [Fact]
    public async Task A_created_room_is_on_the_pages_from_its_first_message_on_if_the_setting_says_so()
    {
        await using var run = await SynapseAndService.StartAsync();
        Assert.Equal(0, await run.Service.StopAsync());
        run.StartService("--history-visibility", "world_readable");
        await run.WaitUntilConnectedAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_open:localhost")).Get("room_id");
        var message = await alice.SayAsync(room, "anyone may read this");
        await run.WaitUntilLoggedAsync(room, message);

        await using var pages = await PagesUnderTest.StartAsync(run.Folder["logs"]);
        Assert.Contains("logged_open", await pages.ReadAsync("/"), StringComparison.Ordinal);
        Assert.Equal(302, (int)(await pages.GetAsync($"/r/{room}/e/{message}")).Status);
    }

    [Fact]
    public async Task A_room_without_a_logged_alias_is_not_logged_although_our_user_joined_it()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var ourUser = await run.GetServiceUserAsync();
        var logged = (await alice.JoinAsync("#logged_other:localhost")).Get("room_id");
        var invited = await alice.CreatePublicRoomAsync();
        var room = await alice.CreatePublicRoomAsync("unlogged");

        await alice.InviteAsync(invited, ourUser.Id);
        (await ourUser.JoinAsync(room)).EnsureSuccess();
        await alice.SayAsync(room, "off the record");

        // Synapse pushes in order: once this message is logged, the service has received the others.
        await run.WaitUntilLoggedAsync(logged, await alice.SayAsync(logged, "on the record"));
        Assert.False(run.HasLog(room));
        Assert.False(run.HasLog(invited));

        (await alice.PutAliasAsync("#logged_now:localhost", room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record from now on"));
        Assert.Equal("<@alice:localhost> on the record from now on", run.Text(room)[0]);
        Assert.Single(run.Text(room), line => line.StartsWith('<'));
        await run.WaitUntilAsync(() => run.Link("logged_now") == room, "the link leads to the room");
    }

    [Fact]
    public async Task Logging_stops_with_the_last_alias_and_our_user_leaves_the_room_that_it_created_until_an_alias_is_back()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var ourUser = await run.GetServiceUserAsync();
        var room = (await alice.JoinAsync("#logged_gone:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record"));

        // Without an event, too: Synapse removes the canonical alias only for other users.
        (await ourUser.DeleteAliasAsync("#logged_gone:localhost")).EnsureSuccess();
        await UntilStoppedAsync(run, room);
        await run.Service.WaitForLineAsync($"Left {room}");
        await alice.SayAsync(room, "off the record");
        await UntilPushedAsync(run, alice);

        (await alice.PutAliasAsync("#logged_back:localhost", room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record again"));
        Assert.Equal(
            [
                "*** logging stopped: the last alias is gone",
                "*** logging resumed: the room has an alias again",
                "<@alice:localhost> on the record again",
            ],
            run.Text(room).TakeLast(3));
        Assert.DoesNotContain("<@alice:localhost> off the record", run.Text(room));
    }

    [Fact]
    public async Task A_room_of_others_that_our_user_joined_is_logged_while_it_has_a_logged_alias()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var ourUser = await run.GetServiceUserAsync();
        var room = await alice.CreatePublicRoomAsync("logged_while");
        (await ourUser.JoinAsync(room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record"));

        // Without an event: there is no canonical alias that the homeserver removes.
        await alice.SetStateAsync(room, "m.room.canonical_alias", new { });
        (await alice.DeleteAliasAsync("#logged_while:localhost")).EnsureSuccess();
        await UntilStoppedAsync(run, room);
        await alice.SayAsync(room, "off the record");
        await UntilPushedAsync(run, alice);
        (await alice.PutAliasAsync("#logged_again:localhost", room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record again"));
        Assert.Equal(
            ["*** logging resumed: the room has an alias again", "<@alice:localhost> on the record again"], run.Text(room).TakeLast(2));
        Assert.DoesNotContain("<@alice:localhost> off the record", run.Text(room));
        Assert.DoesNotContain(run.Output, line => line.Contains($"Left {room}"));
    }

    [Fact]
    public async Task A_room_whose_logged_alias_is_not_published_is_named_by_its_name()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = await alice.CreateRoomAsync(new { preset = "private_chat", room_alias_name = "kitchen" });
        (await alice.PutAliasAsync("#logged_kitchen:localhost", room)).EnsureSuccess();
        await alice.SetStateAsync(room, "m.room.name", new { name = "Kitchen" });
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "what's for dinner?"));
        await run.Service.WaitForLineAsync("The log of \"Kitchen\" is in .*; the homeserver did not tell its alias");
    }

    /// <summary>Synapse pushes in order: once a message of another room is logged, the service has received all earlier ones.</summary>
    private static async Task UntilPushedAsync(SynapseAndService run, SynapseUser user)
    {
        var other = (await user.JoinAsync("#logged_other:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(other, await user.SayAsync(other, "the later message"));
    }

    /// <summary>Waits for a check, which is due within a minute.</summary>
    private static Task UntilStoppedAsync(SynapseAndService run, string room) => run.WaitUntilAsync(
        () => run.Text(room)[^1] == "*** logging stopped: the last alias is gone", "logging has stopped", limit: TimeSpan.FromSeconds(90));
}
