using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What a real Synapse makes of upgrades, aliases that change, invitations and encryption, and what the logs say.</summary>
public class RealSynapseRoomLifeTests
{
    private static readonly TimeSpan Minutes = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_room_that_is_upgraded_twice_is_followed_with_its_alias_and_links(bool isMember)
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var first = await alice.CreatePublicRoomAsync("logged_up");
        if (isMember)
        {
            (await (await run.GetServiceUserAsync()).JoinAsync(first)).EnsureSuccess();
        }

        await run.WaitUntilLoggedAsync(first, await alice.SayAsync(first, "before"));
        await run.WaitUntilAsync(() => run.Link("logged_up") == first, "the link leads to the room");

        var second = await UpgradeAsync(alice, first, "10");
        await UntilFollowedAsync(run, first, second);
        await run.WaitUntilLoggedAsync(second, await alice.SayAsync(second, "in between"));
        var third = await UpgradeAsync(alice, second, "11");
        await UntilFollowedAsync(run, second, third);
        await run.WaitUntilLoggedAsync(third, await alice.SayAsync(third, "after"));

        Assert.Equal(third, run.Link("logged_up"));
        Assert.Contains($"*** the room goes on as {second}", run.Text(first));
        Assert.Contains($"*** the room goes on from {second}", run.Text(third));
        Assert.Contains("<@alice:localhost> after", run.Text(third));
        Assert.Contains(run.Text(third), line => line.StartsWith("*** @logging:localhost joined", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_alias_of_a_room_that_a_client_replaced_is_moved_by_the_service()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var old = await alice.CreatePublicRoomAsync("logged_by_hand");
        await run.WaitUntilLoggedAsync(old, await alice.SayAsync(old, "before"));
        await run.WaitUntilAsync(() => run.Link("logged_by_hand") == old, "the link leads to the room");

        var predecessor = new { room_id = old, event_id = "$unknown" };
        var replacement = await alice.CreateRoomAsync(new { preset = "public_chat", creation_content = new { predecessor } });
        await alice.SetStateAsync(old, "m.room.tombstone", new { body = "moved", replacement_room = replacement });
        await UntilFollowedAsync(run, old, replacement);
        Assert.Equal(replacement, (await alice.FindAliasAsync("#logged_by_hand:localhost")).Get("room_id"));
        await run.WaitUntilLoggedAsync(replacement, await alice.SayAsync(replacement, "after"));
    }

    [Fact]
    public async Task A_replacement_that_names_another_predecessor_is_left()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var old = await alice.CreatePublicRoomAsync("logged_lie");
        await run.WaitUntilLoggedAsync(old, await alice.SayAsync(old, "before"));
        var other = await alice.CreatePublicRoomAsync();
        await alice.SetStateAsync(old, "m.room.tombstone", new { body = "moved", replacement_room = other });
        await run.WaitUntilAsync(
            () => run.Text(old).Contains($"*** the replacement {other} does not name this room as its predecessor: it is not followed"),
            "the note");
        await UntilMembershipAsync(run, alice, other, "leave");
        Assert.Equal(old, (await alice.FindAliasAsync("#logged_lie:localhost")).Get("room_id"));
    }

    [Fact]
    public async Task The_link_follows_an_alias_that_is_moved_and_removed_without_an_event()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var first = await alice.CreatePublicRoomAsync("logged_silent");
        await run.WaitUntilLoggedAsync(first, await alice.SayAsync(first, "before"));
        await run.WaitUntilAsync(() => run.Link("logged_silent") == first, "the link leads to the room");

        var second = await alice.CreatePublicRoomAsync();
        (await alice.DeleteAliasAsync("#logged_silent:localhost")).EnsureSuccess();
        (await alice.PutAliasAsync("#logged_silent:localhost", second)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(second, await alice.SayAsync(second, "here now"));
        await run.WaitUntilAsync(() => run.Link("logged_silent") == second, "the link leads to the new room", limit: Minutes);

        // A check between the two calls finds that it was removed.
        Assert.Contains(run.Text(first), line =>
            line.StartsWith("*** the alias #logged_silent:localhost was moved to !", StringComparison.Ordinal)
            || line == "*** the alias #logged_silent:localhost was removed");

        (await alice.DeleteAliasAsync("#logged_silent:localhost")).EnsureSuccess();
        await run.WaitUntilAsync(() => run.Link("logged_silent") is null, "the link is removed", limit: Minutes);
        Assert.Contains("*** the alias #logged_silent:localhost was removed", run.Text(second));
        Assert.Contains("<@alice:localhost> before", run.Text(first));
    }

    [Fact]
    public async Task An_invitation_to_a_logged_room_is_accepted_and_any_other_declined()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var logged = await alice.CreateRoomAsync(new { preset = "private_chat", room_alias_name = "logged_secret" });
        var other = await alice.CreateRoomAsync(new { preset = "private_chat" });
        await run.WaitUntilLoggedAsync(logged, await alice.SayAsync(logged, "before"));

        (await alice.InviteAsync(logged, "@logging:localhost")).EnsureSuccess();
        (await alice.InviteAsync(other, "@logging:localhost")).EnsureSuccess();
        await UntilMembershipAsync(run, alice, logged, "join");
        await UntilMembershipAsync(run, alice, other, "leave");
        Assert.False(run.HasLog(other));

        // As a member it reads the names.
        await run.WaitUntilAsync(
            () => run.Text(logged).Any(line => line.StartsWith("*** members then: @alice:localhost \"alice\"", StringComparison.Ordinal)),
            "the members");

        (await alice.KickAsync(logged, "@logging:localhost")).EnsureSuccess();
        await run.WaitUntilAsync(
            () => run.Text(logged).Contains(
                "*** the service was kicked by @alice:localhost: the room is logged while it has a logged alias"),
            "the note");
        await run.WaitUntilLoggedAsync(logged, await alice.SayAsync(logged, "after"));
    }

    [Fact]
    public async Task When_encryption_is_switched_on_the_log_and_the_members_are_told()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = await alice.CreatePublicRoomAsync("logged_cipher");
        (await (await run.GetServiceUserAsync()).JoinAsync(room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "before"));

        await alice.SetStateAsync(room, "m.room.encryption", new { algorithm = "m.megolm.v1.aes-sha2" });
        await run.WaitUntilAsync(
            () => run.Text(room).Any(line =>
                line.StartsWith("-@logging:localhost- Encryption was switched on in this room.", StringComparison.Ordinal)),
            "the notice in the room");
        Assert.Contains("*** logging has ended in effect: messages are encrypted from here on", run.Text(room));
        Assert.Contains(run.Output, line => line.Contains("WRN Encryption was switched on in #logged_cipher:localhost"));
    }

    [Fact]
    public async Task With_JoinLoggedRooms_our_user_joins_a_public_room_when_it_gets_a_logged_alias()
    {
        await using var run = await SynapseAndService.StartAsync();
        Assert.Equal(0, await run.Service.StopAsync());
        run.StartService("--join-logged-rooms", "on");
        await run.WaitUntilConnectedAsync();
        var alice = await run.RegisterAsync("alice");
        var room = await alice.CreateRoomAsync(new { preset = "public_chat", name = "Tea", topic = "all about tea" });
        (await alice.PutAliasAsync("#logged_tea:localhost", room)).EnsureSuccess();
        await alice.SetStateAsync(room, "m.room.canonical_alias", new { alias = "#logged_tea:localhost" });
        await UntilMembershipAsync(run, alice, room, "join");
        const string Note = "*** when logging began the room had the name \"Tea\", the topic \"all about tea\" and 2 members";
        await run.WaitUntilAsync(() => run.Text(room).Contains(Note), "the first state");
    }

    private static async Task<string> UpgradeAsync(SynapseUser user, string room, string version)
    {
        var path = $"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/upgrade";
        return (await user.RequestAsync(HttpMethod.Post, path, new { new_version = version })).Get("replacement_room");
    }

    private static Task UntilFollowedAsync(SynapseAndService run, string old, string replacement) => run.WaitUntilAsync(
        () => run.Link(Path.Combine(old, "next")) == $"../{replacement}" && run.Link(Path.Combine(replacement, "previous")) == $"../{old}",
        "the upgrade is followed");

    private static async Task UntilMembershipAsync(SynapseAndService run, SynapseUser member, string room, string membership)
    {
        var path = $"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/state/m.room.member/@logging:localhost";
        var end = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            var state = await member.RequestAsync(HttpMethod.Get, path);
            if (state.Status == 200 && state.Get("membership") == membership)
            {
                return;
            }

            Assert.True(DateTime.UtcNow < end, $"Our user's membership of {room} is not {membership}: {string.Join('\n', run.Output)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
