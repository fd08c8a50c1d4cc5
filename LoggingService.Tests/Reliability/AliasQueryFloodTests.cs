using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static LoggingService.Tests.Support.AliasQueries;

namespace LoggingService.Tests.Reliability;

/// <summary>Any client, even without an account, can make the homeserver send any number of alias queries.</summary>
[Collection(nameof(NonParallelTests))]
public class AliasQueryFloodTests
{
    [Fact]
    public async Task A_flood_of_alias_queries_creates_rooms_up_to_the_limit_and_one_log_line_a_minute()
    {
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().CreatingRooms(), settings: RoomsPerHour(30));
        var room = Some.RoomId();
        await FloodAsync(service, "before", 500);
        var memory = MeasureMemory();
        var start = DateTime.UtcNow;
        var queries = Trial.Scale(5_000, 100_000);
        var pushed = new List<string>();

        var flood = FloodAsync(service, "flood", queries);
        do
        {
            var id = Some.EventId();
            Assert.Equal(200, (await service.PushAsync(id, Some.Message(room, eventId: id))).Status);
            Assert.Equal(200, (await service.SendAsync(HttpMethod.Get, "/_matrix/app/v1/users/%40logging%3Alocalhost")).Status);
            pushed.Add(id);
        }
        while (!flood.IsCompleted);
        await flood;

        Assert.Equal(30, service.Homeserver.CreatedRooms);
        var maxLines = 2 + (int)(DateTime.UtcNow - start).TotalMinutes;
        Assert.InRange(service.WarningsAndErrors.Count(line => line.Contains("Room creation limit reached")), 1, maxLines);
        Assert.InRange(service.WarningsAndErrors.Count, 1, maxLines);

        // A retained alias would take 100 bytes.
        var growth = MeasureMemory() - memory;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{growth / 1024:N0} KiB more memory after {queries} queries and {pushed.Count} transactions");
        Assert.InRange(growth, long.MinValue, (4 << 20) + (queries * 50L));
        var logged = LogFolder.EventIds(service.Logs, room);
        var lost = pushed.Except(logged).Count();
        var duplicated = logged.Count - logged.Distinct().Count();
        const string method = "distinct aliases on ten connections: 30 rooms, the limit";
        Trial.Report("a flood of alias queries", method, queries, pushed.Count, lost, duplicated);
    }

    [Fact]
    public async Task A_flood_of_alias_queries_with_failing_room_creation_is_one_log_line_a_minute()
    {
        var start = DateTime.UtcNow;
        var homeserver = new StubHomeserver().CreatingRooms().On(CreateRoom, 403, """{"errcode":"M_FORBIDDEN","error":"no"}""");
        using var service = new ServiceUnderTest(homeserver: homeserver);

        await FloodAsync(service, "flood", Trial.Scale(300, 3_000), expected: 502);

        Assert.InRange(service.WarningsAndErrors.Count, 1, 2 + (int)(DateTime.UtcNow - start).TotalMinutes);
    }

    [Fact]
    public async Task A_room_whose_creation_times_out_counts_as_created()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = new StubHomeserver().CreatingRooms();
        using var service = new ServiceUnderTest(time, homeserver: homeserver, settings: RoomsPerHour(2));
        Assert.Equal(200, (await QueryAsync(service, "#logged_first:localhost")).Status);
        homeserver.On(CreateRoom, _ => new TaskCompletionSource<StubHomeserver.Response>().Task);
        var query = QueryAsync(service, "#logged_slow:localhost");
        await Wait.UntilAsync(() => query.IsCompleted, "a response", () => time.Advance(TimeSpan.FromMilliseconds(500)));
        Assert.Equal(502, (await query).Status);

        homeserver.CreatingRooms();
        Assert.Equal(404, (await QueryAsync(service, "#logged_third:localhost")).Status);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(200, (await QueryAsync(service, "#logged_third:localhost")).Status);
    }

    private static Task FloodAsync(ServiceUnderTest service, string name, int queries, int? expected = null) =>
        Task.WhenAll(Enumerable.Range(0, 10).Select(async connection =>
        {
            for (var i = connection; i < queries; i += 10)
            {
                var (status, _) = await QueryAsync(service, $"#logged_{name}_{i}:localhost");
                Assert.Contains(status, expected is null ? [200, 404] : (int[])[expected.Value]);
            }
        }));

    private static long MeasureMemory()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static Dictionary<string, string> RoomsPerHour(int rooms) => new() { ["LoggingService:RoomsPerHour"] = $"{rooms}" };
}
