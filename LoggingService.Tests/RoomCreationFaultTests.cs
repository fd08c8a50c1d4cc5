using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static LoggingService.Tests.Support.AliasQueries;

namespace LoggingService.Tests;

/// <summary>Room creation that fails, is slow or reaches the limit: what is retried, and what the homeserver gets.</summary>
public class RoomCreationFaultTests
{
    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(0)]
    public async Task A_failed_creation_can_be_retried(int status)
    {
        var homeserver = CreatingRooms().On(CreateRoom, _ => status == 0
            ? throw new HttpRequestException("the connection was closed")
            : Task.FromResult(new StubHomeserver.Response(status, Error("M_UNKNOWN"))));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: RoomsPerHour(1));

        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        Assert.Single(Creations(service));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains("Failed to create the room for ", StringComparison.Ordinal));

        // The failure released its reservation.
        homeserver.On(CreateRoom, TeaRoom);
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
    }

    [Fact]
    public async Task A_failure_releases_its_own_reservation()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatingRooms();
        using var service = new ServiceUnderTest(time, homeserver: homeserver, settings: RoomsPerHour(2));
        Assert.Equal(200, (await QueryAsync(service, "#logged_1:localhost")).Status);
        time.Advance(TimeSpan.FromMinutes(50));
        homeserver.On(CreateRoom, 403, Error("M_FORBIDDEN"));
        Assert.Equal(502, (await QueryAsync(service, "#logged_2:localhost")).Status);

        // The hour of the first room has passed: two more can be created.
        homeserver.On(CreateRoom, TeaRoom);
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(200, (await QueryAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(200, (await QueryAsync(service, "#logged_4:localhost")).Status);
    }

    [Fact]
    public async Task No_more_rooms_than_the_limit_are_created_within_an_hour()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var service = new ServiceUnderTest(time, homeserver: CreatingRooms(), settings: RoomsPerHour(2));
        Assert.Equal(200, (await QueryAsync(service, "#logged_1:localhost")).Status);
        Assert.Equal(200, (await QueryAsync(service, "#logged_2:localhost")).Status);

        Assert.Equal(404, (await QueryAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(404, (await QueryAsync(service, "#logged_4:localhost")).Status);
        Assert.Single(Warnings());
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(404, (await QueryAsync(service, "#logged_3:localhost")).Status);
        Assert.Equal(2, Warnings().Count());
        Assert.Equal(2, Creations(service).Count(call => call.Line == CreateRoom));

        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(200, (await QueryAsync(service, "#logged_3:localhost")).Status);

        IEnumerable<string> Warnings() =>
            service.WarningsAndErrors.Where(line => line.Contains("Room creation limit reached (2/hour)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_canonical_alias_that_fails_is_retried_in_the_background()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatingRooms().On(PutCanonical, 403, Error("M_FORBIDDEN"));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);

        Assert.Equal((200, "{}"), await QueryAsync(service, Alias));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains(" as the canonical alias of ", StringComparison.Ordinal));

        homeserver.On(PutCanonical, "{}");
        await Wait.UntilAsync(
            () => Creations(service).Count(call => call.Line == PutCanonical) == 2,
            "the retry",
            () => time.Advance(TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData("3", "{}")]
    [InlineData("Tue, 01 Jan 2030 00:00:03 GMT", "{}")]
    [InlineData(null, """{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":3000}""")]
    public async Task Retry_After_is_honoured(string? retryAfter, string body)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var calls = 0;
        var homeserver = CreatingRooms()
            .On(CreateRoom, _ => Task.FromResult(++calls == 1 ? new StubHomeserver.Response(429, body, retryAfter) : new(200, TeaRoom)));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var begin = time.GetUtcNow();
        var query = QueryAsync(service, Alias);
        await Wait.UntilAsync(() => query.IsCompleted, "the room is created", () => time.Advance(TimeSpan.FromMilliseconds(100)));

        Assert.Equal((200, "{}"), await query);
        Assert.Equal(2, calls);
        Assert.InRange(time.GetUtcNow() - begin, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Setting_the_alias_is_retried_and_creating_the_room_is_not()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var puts = 0;
        var homeserver = CreatingRooms()
            .On(PutAlias, _ => Task.FromResult(++puts < 3 ? new StubHomeserver.Response(502, "<html>") : new(200, "{}")));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var query = QueryAsync(service, Alias);
        await Wait.UntilAsync(() => query.IsCompleted, "the room is created", () => time.Advance(TimeSpan.FromMilliseconds(100)));

        Assert.Equal((200, "{}"), await query);
        Assert.Equal([CreateRoom, PutAlias, PutAlias, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
    }

    [Fact]
    public async Task A_slow_creation_is_5xx_within_the_homeservers_timeout()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var never = new TaskCompletionSource<StubHomeserver.Response>();
        var homeserver = CreatingRooms().On(CreateRoom, _ => never.Task);
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        var query = QueryAsync(service, Alias);
        await Wait.UntilAsync(() => Creations(service).Count > 0, "the creation starts");
        var begin = time.GetUtcNow();
        await Wait.UntilAsync(() => query.IsCompleted, "a response", () => time.Advance(TimeSpan.FromMilliseconds(500)));

        Assert.True((await query).Status >= 500);
        Assert.True(time.GetUtcNow() - begin < TimeSpan.FromSeconds(60));
    }

    private static Dictionary<string, string> RoomsPerHour(int rooms) => new() { ["LoggingService:RoomsPerHour"] = $"{rooms}" };
}
