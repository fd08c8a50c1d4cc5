using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A regex of the registration that backtracks exponentially on some names doesn't block transactions.</summary>
public class SlowRegexTests
{
    // The look-ahead forces the backtracking engine.
    private static readonly string Registration = ServiceUnderTest.RegistrationText(
        aliases: "#logged_(?!x)(a+)+b", rooms: """[{exclusive: false, regex: "!(?!x)(a+)+b"}]""")
        + "\n    - exclusive: false\n      regex: \"#logged_good.*\"\n";

    [Fact]
    public async Task A_flood_of_alias_queries_with_a_slow_regex_blocks_no_transaction()
    {
        await using var service = await ServiceUnderAttack.StartAsync(Registration);
        var before = (service.Memory, service.OpenFiles);
        var lines = service.Process.Output.Count;
        var queries = Trial.Scale(200, 2_000);
        var flood = Task.WhenAll(Enumerable.Range(0, 50).Select(async connection =>
        {
            for (var i = connection; i < queries; i += 50)
                Assert.Equal(404, await QueryAsync(service, $"#logged_{new string('a', 100)}{i}:localhost"));
        }));
        do
            await service.LogOneMessageAsync();
        while (!flood.IsCompleted);
        await flood;

        // The second regex matches where the first timed out: the service tried to create the room, and the homeserver refused.
        Assert.Equal(502, await QueryAsync(service, "#logged_good:localhost"));
        var warnings = service.Process.Output.Skip(lines).Count(line => line.Contains("with the alias namespace: "));
        Assert.InRange(warnings, 1, Trial.Scale(1, 5));
        before.OpenFiles += 50;
        await service.AssertUnharmedAsync("alias queries with a slow regex", "50 at a time, with transactions", queries, before);
    }

    [Fact]
    public async Task A_transaction_of_rooms_with_a_slow_regex_is_logged_before_the_homeserver_times_out()
    {
        await using var service = await ServiceUnderAttack.StartAsync(Registration);
        var before = (service.Memory, service.OpenFiles);
        var rounds = Trial.Scale(1, 10);
        for (var round = 0; round < rounds; round++)
        {
            var rooms = Enumerable.Range(0, 100).Select(i => $"!{new string('a', 100)}{round}x{i}:localhost").ToList();
            var events = rooms.Select(room => Some.Message(room, eventId: $"$of{room}"));
            Assert.Equal((200, "{}"), await service.PushAsync($"rooms{round}", events));
            await Wait.UntilAsync(
                () => rooms.All(room => LogFolder.HasLogged(service.Folder["logs"], room, [$"$of{room}"])), "each room has its event");
            Assert.All(rooms, room => Assert.Single(LogFolder.EventIds(service.Folder["logs"], room)));
        }

        before.OpenFiles += rounds * 200;
        await service.AssertUnharmedAsync("room ids with a slow regex", "100 rooms per transaction", rounds * 100, before);
    }

    private static async Task<int> QueryAsync(ServiceUnderAttack service, string alias)
    {
        var target = $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}";
        using var response = await service.Homeserver.GetAsync(target, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }
}
