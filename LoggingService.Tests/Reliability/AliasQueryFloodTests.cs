using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>Anybody, even without an account, can make the homeserver ask for aliases, as many as they like.</summary>
[Collection(nameof(NonParallelTests))]
public class AliasQueryFloodTests
{
    private const string CreateRoom = "POST /_matrix/client/v3/createRoom";
    private int _made;

    [Fact]
    public async Task A_flood_of_lookups_makes_no_more_rooms_than_the_limit_and_a_line_of_log_a_minute()
    {
        using var service = new ServiceUnderTest(homeserver: MakesRooms(), settings: AtMost(30));
        var room = Some.RoomId();
        await FloodAsync(service, "before", 500);
        var (memory, begin) = (Memory(), DateTime.UtcNow);
        var (lookups, pushed) = (Trial.Scale(5_000, 100_000), new List<string>());

        var flood = FloodAsync(service, "flood", lookups);
        do
        {
            var id = Some.EventId();
            Assert.Equal(200, (await service.PushAsync(id, Some.Message(room, eventId: id))).Status);
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Get, "/_matrix/app/v1/users/%40logging%3Alocalhost")).Status);
            pushed.Add(id);
        }
        while (!flood.IsCompleted);
        await flood;

        Assert.Equal(30, _made);
        Assert.InRange(service.WarningsAndErrors.Count(said => said.Contains("Room creation limit reached", StringComparison.Ordinal)), 1,
            2 + (int)(DateTime.UtcNow - begin).TotalMinutes);
        Assert.InRange(service.WarningsAndErrors.Count, 1, 2 + (int)(DateTime.UtcNow - begin).TotalMinutes);

        // An alias that stayed would be 100 bytes by itself.
        var more = Memory() - memory;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{more / 1024:N0} KiB more memory after {lookups} lookups, {pushed.Count} transactions meanwhile");
        Assert.InRange(more, long.MinValue, (4 << 20) + (lookups * 50L));
        var logged = LogFolder.EventIds(service.Logs, room);
        Trial.Report("a flood of lookups", "distinct aliases on ten connections: 30 rooms, the limit", lookups, pushed.Count,
            pushed.Except(logged).Count(), logged.Count - logged.Distinct().Count());
    }

    [Fact]
    public async Task A_flood_of_lookups_of_a_homeserver_that_makes_no_rooms_is_a_line_of_log_a_minute()
    {
        var begin = DateTime.UtcNow;
        using var service = new ServiceUnderTest(homeserver: MakesRooms()
            .On(CreateRoom, 403, """{"errcode":"M_FORBIDDEN","error":"no"}"""));

        await FloodAsync(service, "flood", Trial.Scale(300, 3_000), expected: 502);

        Assert.InRange(service.WarningsAndErrors.Count, 1, 2 + (int)(DateTime.UtcNow - begin).TotalMinutes);
    }

    [Fact]
    public async Task A_room_that_takes_too_long_to_make_counts_as_made()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = MakesRooms();
        using var service = new ServiceUnderTest(time, homeserver: homeserver, settings: AtMost(2));
        Assert.Equal(200, (await AskAsync(service, "#logged_first:localhost")).Status);
        homeserver.On(CreateRoom, _ => new TaskCompletionSource<StubHomeserver.Response>().Task);
        var asked = AskAsync(service, "#logged_slow:localhost");
        await Wait.UntilAsync(() => asked.IsCompleted, "an answer", () => time.Advance(TimeSpan.FromMilliseconds(500)));
        Assert.Equal(502, (await asked).Status);

        MakesRooms(homeserver);
        Assert.Equal(404, (await AskAsync(service, "#logged_third:localhost")).Status);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(200, (await AskAsync(service, "#logged_third:localhost")).Status);
    }

    private static Task FloodAsync(ServiceUnderTest service, string name, int lookups, int? expected = null) =>
        Task.WhenAll(Enumerable.Range(0, 10).Select(async connection =>
    {
        for (var i = connection; i < lookups; i += 10)
        {
            var (status, _) = await AskAsync(service, $"#logged_{name}_{i}:localhost");
            Assert.Contains(status, expected is null ? [200, 404] : (int[])[expected.Value]);
        }
    }));

    private StubHomeserver MakesRooms(StubHomeserver? homeserver = null) => (homeserver ?? new StubHomeserver()).WithoutAliases()
        .On(CreateRoom, _ =>
            Task.FromResult(new StubHomeserver.Response(200, $$"""{"room_id":"!made{{Interlocked.Increment(ref _made)}}:localhost"}""")))
        .On("PUT /_matrix/client/v3/directory/room/*", "{}")
        .On("PUT /_matrix/client/v3/rooms/*", """{"event_id":"$canonical"}""");

    private static Task<(int Status, string Body)> AskAsync(ServiceUnderTest service, string alias) =>
        service.SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");

    private static long Memory()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static Dictionary<string, string> AtMost(int rooms) => new() { ["LoggingService:RoomsPerHour"] = $"{rooms}" };
}
