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
            Assert.Single(run.Text(room), line => line == "*** the room was told by a notice that it is logged");
        }
    }
}
