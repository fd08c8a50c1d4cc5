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
        Assert.Equal("<@alice:localhost> here now", run.Text(newRoom)[^1]);
    }

    [Fact]
    public async Task A_private_room_with_a_logged_alias_is_logged_without_the_membership_of_our_user()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = await alice.CreateRoomAsync(new { preset = "private_chat", room_alias_name = "logged_private" });

        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "among ourselves"));
        await run.WaitUntilAsync(() => run.Link("logged_private") == room, "the link leads to the room");

        Assert.Equal("<@alice:localhost> among ourselves", run.Text(room)[^1]);
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
        await alice.InviteAsync(room, ourUser.Id);
        (await ourUser.JoinAsync(room)).EnsureSuccess();
        await alice.SayAsync(room, "off the record");

        // Synapse pushes in order: once this message is logged, the service has received the others.
        await run.WaitUntilLoggedAsync(logged, await alice.SayAsync(logged, "on the record"));
        Assert.False(run.HasLog(room));
        Assert.False(run.HasLog(invited));

        (await alice.PutAliasAsync("#logged_now:localhost", room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "on the record from now on"));
        Assert.Equal(["<@alice:localhost> on the record from now on"], run.Text(room));
        await run.WaitUntilAsync(() => run.Link("logged_now") == room, "the link leads to the room");
    }
}
