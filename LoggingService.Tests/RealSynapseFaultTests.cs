using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The service beside a real Synapse, of which one stops, dies or is set up wrong.</summary>
public class RealSynapseFaultTests
{
    [Fact]
    public async Task What_was_said_while_the_service_was_down_is_logged_once_when_it_is_back()
    {
        await using var both = await SynapseAndService.StartAsync();
        var alice = await both.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_down:localhost")).Get("room_id");
        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "before"));
        Assert.Equal(0, await both.Service.StopAsync());

        foreach (var word in (string[])["one", "two", "three"])
        {
            await alice.SayAsync(room, word);
        }

        both.StartService();
        await both.WaitUntilAsync(() => both.Text(room) is [.., "<@alice:localhost> three"], "the last word is in the text");
        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "after"));

        Assert.Equal(["before", "one", "two", "three", "after"], both.Text(room).TakeLast(5).Select(line => line["<@alice:localhost> ".Length..]));
        Assert.Distinct(both.RecordedIds(room));
    }

    [Fact]
    public async Task However_often_the_service_is_killed_every_event_is_in_the_record_once()
    {
        await using var both = await SynapseAndService.StartAsync();
        var users = await Task.WhenAll(Enumerable.Range(1, 4).Select(i => both.RegisterAsync($"user{i}")));
        var room = (await users[0].JoinAsync("#logged_load:localhost")).Get("room_id");
        await Task.WhenAll(users.Select(user => user.JoinAsync(room)));
        using var enough = new CancellationTokenSource();
        var talk = Task.WhenAll(users.Select(async user =>
        {
            for (var i = 1; !enough.IsCancellationRequested; i++)
            {
                await user.SayAsync(room, $"message {i}");
            }
        }));

        for (var round = 1; round <= 5; round++)
        {
            var before = both.RecordedIds(room).Count;
            await both.WaitUntilAsync(() => both.RecordedIds(room).Count > before, $"something is logged in round {round}");
            await both.Service.KillAsync();
            both.StartService();
        }

        await enough.CancelAsync();
        await talk;
        await both.WaitUntilConnectedAsync();
        await both.WaitUntilLoggedAsync(room, await users[0].SayAsync(room, "the last word"));

        var record = both.Record(room);
        Assert.Equal((await SynapseAndService.GetVisibleEventIdsAsync(users[0], room)).Order(), both.RecordedIds(room).Order());
        Assert.Equal(record.Count, both.Text(room).Count);
        foreach (var (e, line) in record.Zip(both.Text(room)).Where(both => both.First.GetProperty("type").GetString() == "m.room.message"))
        {
            Assert.Equal($"<{e.GetProperty("sender").GetString()}> {e.GetProperty("content").GetProperty("body").GetString()}", line);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_of_Synapse_messages_are_logged_as_before_and_none_twice(bool isKilled)
    {
        await using var both = await SynapseAndService.StartAsync();
        var alice = await both.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_restart:localhost")).Get("room_id");
        var before = await alice.SayAsync(room, "before");
        await both.WaitUntilLoggedAsync(room, before);

        await (isKilled ? both.Synapse.KillAsync() : both.Synapse.StopAsync());
        await both.Synapse.StartProcessAsync();
        string[] after = [await alice.SayAsync(room, "one"), await alice.SayAsync(room, "two")];
        await both.WaitUntilLoggedAsync(room, after[^1]);

        Assert.Equal([before, .. after], both.RecordedIds(room).TakeLast(3));
        Assert.Distinct(both.RecordedIds(room));
    }

    [Theory]
    [InlineData("", "use_appservice_legacy_authorization: true")]
    [InlineData("/matrix/logging", "{}")]
    public async Task Rooms_are_made_and_logged_with_the_old_way_to_send_the_token_and_under_a_path(string pathPrefix, string moreYaml)
    {
        await using var both = await SynapseAndService.StartAsync(pathPrefix, moreYaml);
        var alice = await both.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");

        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "hello"));
        Assert.Equal(room, both.Link("logged_hello"));
    }

    [Fact]
    public async Task A_homeserver_with_another_hs_token_is_told_of_in_plain_words_until_it_is_mended()
    {
        await using var both = await SynapseAndService.StartAsync(synapsesCopy: yaml => yaml.Replace(ServiceUnderTest.HsToken, "another_token"));
        await both.Service.WaitForLineAsync("WRN The reachability check failed for .*: the homeserver sends another hs_token than that of .*/registration.yaml ");

        var alice = await both.RegisterAsync("alice");
        Assert.Equal(404, (await alice.JoinAsync("#logged_hello:localhost")).Status);

        await both.Synapse.StopAsync();
        await both.Synapse.ReplaceRegistrationAsync(await File.ReadAllTextAsync(both.Folder["registration.yaml"], TestContext.Current.CancellationToken));
        await both.Synapse.StartProcessAsync();
        await both.WaitUntilConnectedAsync();
        var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");
        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "hello"));
        Assert.DoesNotContain(both.Output, line => line.Contains("another_token") || line.Contains(ServiceUnderTest.HsToken) || line.Contains(ServiceUnderTest.AsToken));
    }

    [Fact]
    public async Task Asked_to_stop_the_service_leaves_within_ten_seconds_and_leaves_nothing_undone()
    {
        await using var both = await SynapseAndService.StartAsync();
        var alice = await both.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_hello:localhost")).Get("room_id");
        await both.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "hello"));

        Assert.Equal(0, await both.Service.StopAsync(TimeSpan.FromSeconds(10)));

        Assert.Equal(0, new DirectoryInfo(both.Folder["logs", ".journal"]).EnumerateFiles().Sum(file => file.Length));
        Assert.DoesNotContain(both.Output, line => line.Contains(ServiceUnderTest.HsToken) || line.Contains(ServiceUnderTest.AsToken));
        Assert.DoesNotContain(both.Output, line => line.Contains(" WRN ") || line.Contains(" ERR ") || line.Contains(" FTL "));
    }
}
