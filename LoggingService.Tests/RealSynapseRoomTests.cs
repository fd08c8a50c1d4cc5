using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Which rooms of a real Synapse are logged, and under which names.</summary>
public class RealSynapseRoomTests
{
    [Fact]
    public async Task A_room_is_logged_from_the_moment_it_gets_an_alias_and_the_link_goes_where_the_alias_goes()
    {
        await using var both = await SynapseAndService.StartAsync();
        var alice = await both.RegisterAsync("alice");
        var oldRoom = await alice.CreatePublicRoomAsync();
        await alice.SayAsync(oldRoom, "before");
        await alice.PutAliasAsync("#logged_moving:localhost", oldRoom);
        await both.WaitUntilLoggedAsync(oldRoom, await alice.SayAsync(oldRoom, "after"));
        Assert.Equal(["<@alice:localhost> after"], both.Text(oldRoom));

        await alice.SetStateAsync(oldRoom, "m.room.canonical_alias", new { alias = "#logged_moving:localhost" });
        await both.WaitUntilAsync(() => both.Link("logged_moving") == oldRoom, "the link leads to the room");

        var newRoom = await alice.CreatePublicRoomAsync();
        await alice.DeleteAliasAsync("#logged_moving:localhost");
        await alice.PutAliasAsync("#logged_moving:localhost", newRoom);
        await alice.SetStateAsync(newRoom, "m.room.canonical_alias", new { alias = "#logged_moving:localhost" });
        await both.WaitUntilAsync(() => both.Link("logged_moving") == newRoom, "the link leads to the new room");
        await both.WaitUntilLoggedAsync(newRoom, await alice.SayAsync(newRoom, "here now"));
        Assert.Equal("<@alice:localhost> here now", both.Text(newRoom)[^1]);
    }

    [Fact]
    public async Task A_private_room_with_a_logged_alias_is_logged_though_the_services_user_is_no_member()
    {
        await using var both = await SynapseAndService.StartAsync();
        var alice = await both.RegisterAsync("alice");
        var room = await alice.CreateRoomAsync(new { preset = "private_chat", room_alias_name = "logged_private" });

        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "among ourselves"));
        await both.WaitUntilAsync(() => both.Link("logged_private") == room, "the link leads to the room");

        Assert.Equal("<@alice:localhost> among ourselves", both.Text(room)[^1]);
    }

    [Fact]
    public async Task A_room_without_a_logged_alias_is_not_logged_though_the_services_user_is_in_it()
    {
        await using var both = await SynapseAndService.StartAsync();
        var alice = await both.RegisterAsync("alice");
        var us = await both.GetServiceUserAsync();
        var logged = (await alice.JoinAsync("#logged_other:localhost")).Get("room_id");
        var invited = await alice.CreatePublicRoomAsync();
        var room = await alice.CreatePublicRoomAsync("unlogged");

        await alice.InviteAsync(invited, us.Id);
        await alice.InviteAsync(room, us.Id);
        (await us.JoinAsync(room)).EnsureSuccess();
        await alice.SayAsync(room, "off the record");

        // What is pushed is pushed in order: when this is there, the others have been seen.
        await both.WaitUntilLoggedAsync(logged, await alice.SayAsync(logged, "on the record"));
        Assert.False(both.HasLog(room));
        Assert.False(both.HasLog(invited));

        (await alice.PutAliasAsync("#logged_now:localhost", room)).EnsureSuccess();
        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record from now on"));
        Assert.Equal(["<@alice:localhost> on the record from now on"], both.Text(room));
        await both.WaitUntilAsync(() => both.Link("logged_now") == room, "the link leads to the room");
    }
}
