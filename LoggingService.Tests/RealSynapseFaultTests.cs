using System.Diagnostics;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The service and a real Synapse, while one of them is stopped, killed or misconfigured.</summary>
public class RealSynapseFaultTests
{
    [Fact]
    public async Task Messages_sent_while_the_service_was_down_are_logged_once_after_its_start()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_down:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "before"));
        Assert.Equal(0, await run.Service.StopAsync());

        foreach (var message in (string[])["one", "two", "three"])
        {
            await alice.SayAsync(room, message);
        }

        run.StartService();
        await run.WaitUntilAsync(() => run.Text(room) is [.., "<@alice:localhost> three"], "the last message is in the text");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "after"));

        var messages = run.Text(room).TakeLast(5).Select(line => line["<@alice:localhost> ".Length..]);
        Assert.Equal(["before", "one", "two", "three", "after"], messages);
        Assert.Distinct(run.RecordedIds(room));
    }

    [Fact]
    public async Task After_repeated_kills_of_the_service_every_event_is_in_the_record_once()
    {
        await using var run = await SynapseAndService.StartAsync();
        var users = await Task.WhenAll(Enumerable.Range(1, 4).Select(i => run.RegisterAsync($"user{i}")));
        var room = (await users[0].JoinAsync("#logged_load:localhost")).Get("room_id");
        await Task.WhenAll(users.Select(user => user.JoinAsync(room)));
        using var stop = new CancellationTokenSource();
        var sending = Task.WhenAll(users.Select(async user =>
        {
            for (var i = 1; !stop.IsCancellationRequested; i++)
            {
                await user.SayAsync(room, $"message {i}");
            }
        }));

        for (var round = 1; round <= 5; round++)
        {
            var before = run.RecordedIds(room).Count;
            await run.WaitUntilAsync(() => run.RecordedIds(room).Count > before, $"something is logged in round {round}");
            await run.Service.KillAsync();
            run.StartService();
        }

        await stop.CancelAsync();
        await sending;
        await run.WaitUntilConnectedAsync();
        await run.WaitUntilLoggedAsync(room, await users[0].SayAsync(room, "the last word"));

        var record = run.Record(room);
        Assert.Equal((await SynapseAndService.GetVisibleEventIdsAsync(users[0], room)).Order(), run.RecordedIds(room).Order());
        Assert.Equal(record.Count, run.Text(room).Count);
        foreach (var (e, line) in record.Zip(run.Text(room)).Where(pair => pair.First.GetProperty("type").GetString() == "m.room.message"))
        {
            Assert.Equal($"<{e.GetProperty("sender").GetString()}> {e.GetProperty("content").GetProperty("body").GetString()}", line);
        }
    }

    [Fact]
    public async Task After_a_503_Synapse_catches_up_within_five_seconds_of_the_end_of_the_trouble()
    {
        await using var run = await SynapseAndService.StartAsync();
        Assert.Equal(0, await run.Service.StopAsync());
        using var disk = await SmallDisk.MountAsync(run.Folder["logs"], "128m", files: 4_000);
        run.StartService();
        await run.WaitUntilConnectedAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_full:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "before"));

        // Each failure doubles the delay until the next attempt: four take 14 s, then Synapse waits for 16 s or more.
        Assert.Equal(0, await run.Service.StopAsync());
        disk.Fill(leave: 8 << 20);
        var refused = await alice.SayAsync(room, "refused");
        await run.WaitUntilAsync(() => Failures() >= 4, "four attempts fail");
        run.StartService();
        await run.WaitUntilConnectedAsync();
        await run.Service.WaitForLineAsync("Transactions are delayed because the disk is almost full");
        await run.WaitUntilAsync(() => Refusals() > 0, "Synapse gets a 503 after 30 s", limit: TimeSpan.FromSeconds(60));
        Assert.DoesNotContain(refused, run.RecordedIds(room));

        disk.Clear();
        var recovery = Stopwatch.StartNew();
        await run.WaitUntilLoggedAsync(room, refused);
        TestContext.Current.TestOutputHelper!.WriteLine($"Synapse caught up {recovery.Elapsed.TotalSeconds:0.0} s after the end");
        Assert.InRange(recovery.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "after"));
        Assert.Equal(["before", "refused", "after"], run.Text(room).TakeLast(3).Select(line => line["<@alice:localhost> ".Length..]));
        Assert.Distinct(run.RecordedIds(room));

        int Failures() => Regex.Count(run.Synapse.Log, "push_bulk to .* threw exception");

        int Refusals() => Regex.Count(run.Synapse.Log, "push_bulk to .* received code=503");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_of_Synapse_messages_are_logged_as_before_and_none_twice(bool isKilled)
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_restart:localhost")).Get("room_id");
        var before = await alice.SayAsync(room, "before");
        await run.WaitUntilLoggedAsync(room, before);

        await (isKilled ? run.Synapse.KillAsync() : run.Synapse.StopAsync());
        await run.Synapse.StartProcessAsync();
        string[] after = [await alice.SayAsync(room, "one"), await alice.SayAsync(room, "two")];
        await run.WaitUntilLoggedAsync(room, after[^1]);

        Assert.Equal([before, .. after], run.RecordedIds(room).TakeLast(3));
        Assert.Distinct(run.RecordedIds(room));
    }

    [Theory]
    [InlineData("", "use_appservice_legacy_authorization: true")]
    [InlineData("/matrix/logging", "{}")]
    public async Task Rooms_are_created_and_logged_with_legacy_authorization_and_under_a_path(string pathPrefix, string moreYaml)
    {
        await using var run = await SynapseAndService.StartAsync(pathPrefix, moreYaml);
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");

        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "hello"));
        Assert.Equal(room, run.Link("logged_hello"));
    }

    [Fact]
    public async Task Another_hs_token_is_a_warning_with_advice_until_the_homeserver_has_the_right_one()
    {
        await using var run = await SynapseAndService.StartAsync(
            synapsesCopy: yaml => yaml.Replace(ServiceUnderTest.HsToken, "another_token"));
        await run.Service.WaitForLineAsync(
            "WRN The reachability check failed for .*: the homeserver sends another hs_token than that of .*/registration.yaml "
            + ".*Copy the file to the homeserver again");

        var alice = await run.RegisterAsync("alice");
        Assert.Equal(404, (await alice.JoinAsync("#logged_hello:localhost")).Status);

        await run.Synapse.StopAsync();
        var registration = await File.ReadAllTextAsync(run.Folder["registration.yaml"], TestContext.Current.CancellationToken);
        await run.Synapse.ReplaceRegistrationAsync(registration);
        await run.Synapse.StartProcessAsync();
        await run.WaitUntilConnectedAsync();
        var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "hello"));
        Assert.DoesNotContain(run.Output, line => line.Contains("another_token"));
        Assert.DoesNotContain(run.Output, line => line.Contains(ServiceUnderTest.HsToken) || line.Contains(ServiceUnderTest.AsToken));
    }

    [Fact]
    public async Task The_service_stops_within_ten_seconds_and_leaves_an_empty_journal()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "hello"));

        Assert.Equal(0, await run.Service.StopAsync(TimeSpan.FromSeconds(10)));

        Assert.Equal(0, new DirectoryInfo(run.Folder["logs", ".journal"]).EnumerateFiles().Sum(file => file.Length));
        Assert.DoesNotContain(run.Output, line => line.Contains(ServiceUnderTest.HsToken) || line.Contains(ServiceUnderTest.AsToken));
        Assert.DoesNotContain(run.Output, line => line.Contains(" WRN ") || line.Contains(" ERR ") || line.Contains(" FTL "));
    }
}
