using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The service fetches from a real Synapse what was not pushed.</summary>
public partial class RealSynapseHistoryTests
{
    private const int Continue = 18;
    private const int Pause = 19;

    /// <summary>More take Synapse minutes: <c>BACKFILL_EVENTS=10000</c>.</summary>
    private static readonly int BackfillEvents =
        int.Parse(Environment.GetEnvironmentVariable("BACKFILL_EVENTS") ?? "600", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Events_that_Synapse_had_queued_when_it_was_killed_are_fetched(bool isServiceRestarted)
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_lost:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "before"));

        // The first one is in flight; Synapse has the others in memory only, as it waits for the response.
        run.Service.Send(Pause);
        var inFlight = await alice.SayAsync(room, "in flight");
        var lost = new List<string>();
        for (var i = 1; i <= 10; i++)
        {
            lost.Add(await alice.SayAsync(room, $"lost {i}"));
        }

        await run.Synapse.KillAsync();
        run.Service.Send(Continue);
        if (!isServiceRestarted)
        {
            // A call of the service fails.
            Assert.NotEqual(200, await QueryAliasAsync(run, "#logged_other:localhost"));
        }

        await run.Synapse.StartProcessAsync();
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "after"));
        Assert.DoesNotContain(run.RecordedIds(room), lost.Contains);
        if (isServiceRestarted)
        {
            Assert.Equal(0, await run.Service.StopAsync());
            run.StartService();
        }

        await run.WaitUntilAsync(
            () => run.Text(room).Contains("<@alice:localhost> lost 10"), "the last lost event is logged", limit: TimeSpan.FromSeconds(90));
        await run.WaitUntilAsync(() => run.Text(room).Count == run.RecordedIds(room).Count, "the text is complete");

        // Synapse may lose the one in flight, too.
        Assert.Contains(inFlight, run.RecordedIds(room));
        Assert.Single(run.Text(room), line => Regex.IsMatch(line, @"^\*\*\* 1[01] events from [\d:]{8} to [\d:]{8} were fetched later$"));
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"<@alice:localhost> lost {i}"), run.Text(room).TakeLast(10));
        Assert.Equal(lost, run.RecordedIds(room).TakeLast(10));
        Assert.Distinct(run.RecordedIds(room));
        var visible = await SynapseAndService.GetVisibleEventIdsAsync(alice, room);
        Assert.Equal(visible.Order(), run.RecordedIds(room).Where(id => id.StartsWith('$')).Order());
    }

    [Fact]
    public async Task A_restart_of_either_side_fetches_nothing_that_is_pushed_later()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var room = (await alice.JoinAsync("#logged_queued:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "before"));
        Assert.Equal(0, await run.Service.StopAsync());
        for (var i = 1; i <= 5; i++)
        {
            await alice.SayAsync(room, $"queued {i}");
        }

        // The first comparison may not have run before the stop.
        if (File.Exists(run.Folder["logs", ".history", "checked"]))
        {
            File.Delete(run.Folder["logs", ".history", "checked"]);
        }

        run.StartService();
        await run.WaitUntilAsync(() => File.Exists(run.Folder["logs", ".history", "checked"]), "the rooms were compared");
        Assert.Contains("<@alice:localhost> queued 5", run.Text(room));
        Assert.DoesNotContain(run.Text(room), line => line.Contains("fetched later"));
        Assert.DoesNotContain(run.Record(room), e => e.TryGetProperty("fetched_ts", out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_backfill_is_resumed_after_kills_and_logs_each_event_on_its_own_day(bool isServed)
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var us = await run.GetServiceUserAsync();
        var room = await alice.CreatePublicRoomAsync();
        await us.JoinAsync(room);
        var start = new DateTimeOffset(DateTime.Today.AddDays(-3));
        for (var i = 0; i < BackfillEvents; i++)
        {
            // Three days, in order.
            var sentAt = start.AddSeconds((i * 3L * 86_400 / BackfillEvents) + 1);
            await SendAsync(us, room, $"old {i}", sentAt);
        }

        // Synapse asks at the push whether the room has an alias: what was sent before must be pushed.
        var other = (await alice.JoinAsync("#logged_other:localhost")).Get("room_id");
        await run.WaitUntilLoggedAsync(other, await alice.SayAsync(other, "behind the old ones"));
        await alice.PutAliasAsync("#logged_old:localhost", room);
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "pushed"));
        Assert.DoesNotContain(run.Text(room), line => line.Contains("> old "));
        if (!isServed)
        {
            Assert.Equal(0, await run.Service.StopAsync());
        }

        for (var kills = 1; kills <= 2; kills++)
        {
            await using var killed = Backfill(run, room);
            await run.WaitUntilAsync(() => Logged(run, room) >= kills * 100 || killed.HasExited, "a page is logged");
            await killed.KillAsync();
            if (isServed && kills == 2)
            {
                await run.Service.KillAsync();
                run.StartService();
                await run.WaitUntilConnectedAsync();
            }
        }

        await using var last = Backfill(run, room);
        Assert.True(await last.WaitForExitAsync(TimeSpan.FromMinutes(5)) == 0, string.Join('\n', last.Output));
        for (var day = 0; day < 3; day++)
        {
            var lines = File.ReadLines(run.Folder["logs", room, $"{start.AddDays(day):yyyyMMdd}.log"]).Select(line => line[27..]);
            var sent = Enumerable.Range(0, BackfillEvents).Where(i => i * 3L / BackfillEvents == day);
            Assert.Equal(sent.Select(i => $"<@logging:localhost> old {i}"), lines);
        }

        Assert.Distinct(run.RecordedIds(room));
        var visible = await SynapseAndService.GetVisibleEventIdsAsync(alice, room);
        Assert.Equal(visible.Order(), run.RecordedIds(room).Where(id => id[0] == '$').Order());
    }

    [Fact]
    public async Task A_backfill_begins_with_the_given_day()
    {
        await using var run = await SynapseAndService.StartAsync();
        var alice = await run.RegisterAsync("alice");
        var us = await run.GetServiceUserAsync();
        var room = await alice.CreateRoomAsync(new
        {
            preset = "public_chat",
            initial_state = new[] { new { type = "m.room.history_visibility", content = new { history_visibility = "world_readable" } } },
        });
        await us.JoinAsync(room);
        for (var day = 9; day > 0; day--)
        {
            await SendAsync(us, room, $"{day} days ago", DateTimeOffset.Now.AddDays(-day));
        }

        await us.LeaveAsync(room);
        await alice.PutAliasAsync("#logged_old:localhost", room);
        await run.WaitUntilLoggedAsync(room, await alice.SayAsync(room, "pushed"));
        await using var command = Backfill(run, room, "--since", $"{DateTimeOffset.Now.AddDays(-3):yyyy-MM-dd}");
        Assert.True(await command.WaitForExitAsync() == 0, string.Join('\n', command.Output));
        var text = run.Text(room);
        Assert.Equal(
            ["<@logging:localhost> 3 days ago", "<@logging:localhost> 2 days ago", "<@logging:localhost> 1 days ago"], text.Take(3));
        Assert.DoesNotContain(text, line => line.Contains("4 days ago"));
    }

    private static ServiceProcess Backfill(SynapseAndService run, params string[] arguments) =>
        ServiceProcess.Start(run.Folder.Path, ["backfill", "--homeserver", run.Synapse.Url.ToString(), .. arguments]);

    /// <summary>Sends a message with a time, which only application services may do.</summary>
    private static async Task SendAsync(SynapseUser us, string room, string text, DateTimeOffset at)
    {
        var target = $"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/send/m.room.message/{Guid.NewGuid():N}";
        var content = new { msgtype = "m.text", body = text };
        (await us.RequestAsync(HttpMethod.Put, $"{target}?ts={at.ToUnixTimeMilliseconds()}", content)).EnsureSuccess();
    }

    private static int Logged(SynapseAndService run, string room) => run.Text(room).Count(line => line.Contains("> old "));

    private static async Task<int> QueryAliasAsync(SynapseAndService run, string alias)
    {
        var registration = await File.ReadAllTextAsync(run.Folder["registration.yaml"], TestContext.Current.CancellationToken);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        http.BaseAddress = new Uri(Url().Match(registration).Groups[1].Value);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        var target = $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}";
        using var response = await http.GetAsync(target, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    [GeneratedRegex("url: \"(.*)\"")]
    private static partial Regex Url();
}
