using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A real Synapse delivers the notice that a room is logged, once.</summary>
public class RealSynapseNoticeTests
{
    private const string Notice = "-@logging:localhost- Logged. Read it at https://logs.localhost/";

    [Fact]
    public async Task A_created_room_and_a_room_that_our_user_joins_are_told_once_also_after_a_restart()
    {
        await using var run = await SynapseAndService.StartAsync();
        await run.Service.StopAsync();
        run.StartService("--notice", "Logged. Read it at https://logs.{server}/");
        await run.WaitUntilConnectedAsync();
        var alice = await run.RegisterAsync("alice");

        var created = (await alice.JoinAsync("#logged_new:localhost")).Get("room_id");
        var existing = await alice.CreatePublicRoomAsync("logged_old");
        await alice.SayAsync(existing, "before");
        (await (await run.GetServiceUserAsync()).JoinAsync(existing)).EnsureSuccess();
        await run.WaitUntilAsync(() => run.HasLog(created) && run.Text(created).Contains(Notice), "the created room has the notice");
        await run.WaitUntilAsync(() => run.HasLog(existing) && run.Text(existing).Contains(Notice), "the existing room has the notice");

        await run.Service.StopAsync();
        run.StartService("--notice", "Logged. Read it at https://logs.{server}/");
        await run.WaitUntilConnectedAsync();
        foreach (var room in (string[])[created, existing])
        {
            await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "after"));
            await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "later"));
            Assert.Single(run.Text(room), Notice);
            Assert.Single(run.Text(room), line => line == "*** a notice in the room says that it is logged");
        }
    }

    [Theory]
    [InlineData("11")]
    [InlineData("12")]
    public async Task A_room_sets_its_own_prefix_and_is_told_its_status(string version)
    {
        await using var run = await SynapseAndService.StartAsync();
        var (alice, bob) = (await run.RegisterAsync("alice"), await run.RegisterAsync("bob"));
        var room = await alice.CreateRoomAsync(new { preset = "public_chat", room_alias_name = "logged_tea", room_version = version });
        (await bob.JoinAsync(room)).EnsureSuccess();
        (await (await run.GetServiceUserAsync()).JoinAsync(room)).EnsureSuccess();
        await run.WaitUntilLoggedAsync(room, await alice.SetStateAsync(room, "com.loggingservice.room", new { no_log_prefix = "!off" }));
        const string Noted = "*** @alice:localhost set how the room is logged: not what begins with \"!off\"";
        await run.WaitUntilAsync(() => run.Text(room).Contains(Noted), "the wish is noted");

        var secret = await bob.SayAsync(room, "!off secret");
        await run.WaitUntilLoggedAsync(room, secret);
        Assert.Contains("<@bob:localhost, not logged> [not logged at the sender's wish]", run.Text(room));
        await bob.SendAsync(room, "m.room.message", new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = "* secret",
            ["m.new_content"] = new { msgtype = "m.text", body = "secret" },
            ["m.relates_to"] = new { rel_type = "m.replace", event_id = secret },
        });
        await run.WaitUntilLoggedAsync(room, await bob.RedactAsync(room, secret));
        await bob.SayAsync(room, "!log status");
        const string Status = "-@logging:localhost- Messages in this room are logged";
        await run.WaitUntilAsync(
            () => run.Text(room).Any(line => line.StartsWith(Status, StringComparison.Ordinal)), "the status is answered");
        var answer = run.Text(room).Last(line => line.StartsWith(Status, StringComparison.Ordinal));
        Assert.Contains("Messages that begin with !off are not logged.", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Record(room), e => e.GetRawText().Contains("secret", StringComparison.Ordinal));
    }
}
