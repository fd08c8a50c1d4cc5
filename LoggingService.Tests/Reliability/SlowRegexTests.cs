using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A regex of the registration that backtracks without end, and texts that make it do so: transactions are answered.</summary>
public class SlowRegexTests
{
    // The lookahead selects the backtracking engine; the other one has no slow texts.
    private static readonly string Registration = ServiceUnderTest.RegistrationText(
        aliases: "#logged_(?!x)(a+)+b", rooms: """[{exclusive: false, regex: "!(?!x)(a+)+b"}]""")
        + "\n    - exclusive: false\n      regex: \"#logged_good.*\"\n";

    [Fact]
    public async Task A_flood_of_lookups_that_time_out_stops_no_transaction()
    {
        await using var service = await ServiceUnderAttack.StartAsync(Registration);
        var before = (service.Memory, service.OpenFiles);
        var lines = service.Process.Output.Count;
        var lookups = Trial.Scale(200, 2_000);
        var flood = Task.WhenAll(Enumerable.Range(0, 50).Select(async connection =>
        {
            for (var i = connection; i < lookups; i += 50)
                Assert.Equal(404, await AskAsync(service, $"#logged_{new string('a', 100)}{i}:localhost"));
        }));
        do
            await service.LogOneMessageAsync();
        while (!flood.IsCompleted);
        await flood;

        // The second regex decides where the first can't; the stub homeserver, which creates no rooms, was asked for one.
        Assert.Equal(502, await AskAsync(service, "#logged_good:localhost"));
        Assert.InRange(service.Process.Output.Skip(lines)
            .Count(line => line.Contains("with the alias namespace: ", StringComparison.Ordinal)), 1, Trial.Scale(1, 5));
        await service.AssertUnharmedAsync("lookups whose regex takes for ever", "50 at a time; transactions go on", lookups,
            (before.Memory, before.OpenFiles + 50));
    }

    [Fact]
    public async Task A_transaction_of_rooms_whose_regex_times_out_is_logged_before_the_homeserver_gives_up()
    {
        await using var service = await ServiceUnderAttack.StartAsync(Registration);
        var before = (service.Memory, service.OpenFiles);
        var rounds = Trial.Scale(1, 10);
        for (var round = 0; round < rounds; round++)
        {
            var rooms = Enumerable.Range(0, 100).Select(i => $"!{new string('a', 100)}{round}x{i}:localhost").ToList();
            Assert.Equal((200, "{}"), await service.PushAsync($"rooms{round}", rooms.Select(room => Some.Message(room))));
            Assert.All(rooms, room => Assert.Single(LogFolder.EventIds(service.Folder["logs"], room)));
        }

        await service.AssertUnharmedAsync("room ids whose regex takes for ever", "a hundred rooms in a transaction", rounds * 100,
            (before.Memory, before.OpenFiles + (rounds * 200)));
    }

    private static async Task<int> AskAsync(ServiceUnderAttack service, string alias)
    {
        using var answer = await service.Homeserver.GetAsync($"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}",
            TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }
}
