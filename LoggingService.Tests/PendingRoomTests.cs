using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using static LoggingService.Tests.Support.AliasQueries;

namespace LoggingService.Tests;

/// <summary>An alias that the homeserver does not accept leaves no rooms behind.</summary>
public class PendingRoomTests
{
    [Theory]
    [InlineData("#logged_a b:localhost")]
    [InlineData("#logged_a\tb:localhost")]
    [InlineData("#logged_a\nb:localhost")]
    [InlineData("#logged_a\u000bb:localhost")]
    [InlineData("#logged_a\u000cb:localhost")]
    [InlineData("#logged_a\r:localhost")]
    [InlineData("#logged_ :localhost")]
    public async Task An_alias_with_white_space_creates_no_room(string alias)
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());
        Assert.Equal(404, (await QueryAsync(service, alias)).Status);
        Assert.Empty(Creations(service));
    }

    [Theory]
    [InlineData('x', 1)]
    [InlineData('ö', 2)]
    [InlineData('茶', 3)]
    public async Task An_alias_over_255_bytes_creates_no_room(char letter, int bytes)
    {
        const int OtherBytes = 18;
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());
        Assert.Equal(404, (await QueryAsync(service, $"#logged_{new string(letter, ((255 - OtherBytes) / bytes) + 1)}:localhost")).Status);
        Assert.Empty(Creations(service));
        Assert.Equal(200, (await QueryAsync(service, $"#logged_{new string(letter, (255 - OtherBytes) / bytes)}:localhost")).Status);
    }

    [Theory]
    [InlineData("#logged_a/b:localhost")]
    [InlineData("#logged_\u00a0:localhost")]
    [InlineData("#logged_\u2003\"'<>&?#%:localhost")]
    [InlineData("#logged_\u0001\u007f:localhost")]
    [InlineData("#logged_🦊\u202e:localhost")]
    public async Task Other_odd_aliases_are_tried(string alias)
    {
        using var service = new ServiceUnderTest(homeserver: CreatingRooms());
        Assert.Equal(200, (await QueryAsync(service, alias)).Status);
    }

    [Theory]
    [InlineData(403, "M_FORBIDDEN")]
    [InlineData(400, "M_INVALID_PARAM")]
    [InlineData(400, "M_EXCLUSIVE")]
    public async Task A_refused_alias_creates_one_room_which_is_used_once_the_alias_is_accepted(int status, string errcode)
    {
        var homeserver = CreatingRooms().On(PutAlias, status, Error(errcode));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: RoomsPerHour(1));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        }

        homeserver.On(PutAlias, "{}");
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal([CreateRoom, PutAlias, PutAlias, PutAlias, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);
        Assert.Equal("!tea:localhost", new DirectoryInfo(Path.Combine(service.Logs, "logged_tea")).LinkTarget);
    }

    [Fact]
    public async Task A_room_that_waits_for_its_alias_is_not_left_although_it_has_none()
    {
        const string Us = "@logging:localhost";
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatingRooms().On(PutAlias, 403, Error("M_FORBIDDEN")).AliasesOf("!tea:localhost");
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        await service.PushAsync(
            "1",
            Some.State("!tea:localhost", "m.room.create", "{}", sender: Us),
            Some.State("!tea:localhost", "m.room.member", """{"membership":"join"}""", Us, Us));
        var asked = StubHomeserver.AliasesLine("!tea:localhost");
        await Wait.UntilAsync(
            () => homeserver.Calls.Any(call => call.Line == asked), "the check", () => time.Advance(TimeSpan.FromSeconds(1)));

        homeserver.On(PutAlias, "{}").AliasesOf("!tea:localhost", Alias);
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);
        Assert.Single(Creations(service), call => call.Line == CreateRoom);
    }

    [Fact]
    public async Task A_room_whose_alias_another_room_got_is_left_and_does_not_count()
    {
        var homeserver = CreatingRooms().On(PutAlias, 409, Error("M_UNKNOWN"));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: RoomsPerHour(1));
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Single(homeserver.Calls, call => call.Line == LeaveTea);

        Assert.Equal(200, (await QueryAsync(service, "#logged_other:localhost")).Status);
    }

    [Theory]
    [InlineData(404, "M_UNRECOGNIZED")]
    [InlineData(500, "M_UNKNOWN")]
    public async Task A_room_that_got_its_alias_although_the_response_was_lost_is_kept(int status, string errcode)
    {
        var homeserver = CreatingRooms()
            .On(PutAlias, 409, Error("M_UNKNOWN"))
            .On(StubHomeserver.AliasesLine("!tea:localhost"), status, Error(errcode))
            .On(StubHomeserver.AliasLine(Alias), 500, Error("M_UNKNOWN"));
        using var service = new ServiceUnderTest(homeserver: homeserver);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);

        homeserver.Alias(Alias, "!tea:localhost");
        if (status == 500)
        {
            homeserver.AliasesOf("!tea:localhost", Alias);
        }

        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal([CreateRoom, PutAlias, PutAlias, PutCanonical], Creations(service).Select(call => call.Line));
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);
        Assert.Equal("!tea:localhost", new DirectoryInfo(Path.Combine(service.Logs, "logged_tea")).LinkTarget);
    }

    [Fact]
    public async Task A_room_that_cannot_be_left_counts()
    {
        var homeserver = CreatingRooms().On(PutAlias, 409, Error("M_UNKNOWN")).On(LeaveTea, 403, Error("M_FORBIDDEN"));
        using var service = new ServiceUnderTest(homeserver: homeserver, settings: RoomsPerHour(1));
        Assert.Equal(200, (await QueryAsync(service, Alias)).Status);
        Assert.Equal(404, (await QueryAsync(service, "#logged_other:localhost")).Status);
    }

    [Fact]
    public async Task A_room_whose_alias_is_refused_for_an_hour_is_left()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatingRooms().On(PutAlias, 403, Error("M_FORBIDDEN"));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);

        time.Advance(TimeSpan.FromMinutes(2));
        await Wait.UntilAsync(() => homeserver.Calls.Any(call => call.Line == LeaveTea), "the room is left");
    }

    [Fact]
    public async Task A_room_is_not_left_while_it_gets_its_alias()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var isPut = new TaskCompletionSource();
        var accepts = new TaskCompletionSource();
        var homeserver = CreatingRooms().On(PutAlias, 403, Error("M_FORBIDDEN"));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        homeserver.On(PutAlias, async _ =>
        {
            isPut.SetResult();
            await accepts.Task;
            return new(200, "{}");
        });
        time.Advance(TimeSpan.FromMinutes(59.5));
        var query = QueryAsync(service, Alias);
        await isPut.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);

        time.Advance(TimeSpan.FromMinutes(0.51));
        var other = await QueryAsync(service, "#logged_other:localhost");
        accepts.SetResult();
        Assert.Equal(200, other.Status);
        Assert.Equal(200, (await query).Status);
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);
    }

    [Fact]
    public async Task A_room_that_is_being_left_does_not_get_its_alias()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var isAsked = new TaskCompletionSource();
        var answers = new TaskCompletionSource();
        var homeserver = CreatingRooms().On(PutAlias, 403, Error("M_FORBIDDEN"));
        homeserver.On(StubHomeserver.AliasesLine("!tea:localhost"), async _ =>
        {
            isAsked.SetResult();
            await answers.Task;
            return new(200, """{"aliases":[]}""");
        });
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        homeserver.On(PutAlias, "{}");
        time.Advance(TimeSpan.FromMinutes(61));
        await isAsked.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);

        answers.SetResult();
        await Wait.UntilAsync(() => homeserver.Calls.Any(call => call.Line == LeaveTea), "the room is left");
        homeserver.On(CreateRoom, """{"room_id":"!tea2:localhost"}""").On("PUT /_matrix/client/v3/rooms/*", "{}");
        while ((await QueryAsync(service, Alias)).Status != 200)
        {
            // The room is still being left.
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }

        Assert.Equal("!tea2:localhost", new DirectoryInfo(Path.Combine(service.Logs, "logged_tea")).LinkTarget);
    }

    [Fact]
    public async Task A_room_whose_alias_turns_out_to_exist_after_an_hour_is_kept()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var homeserver = CreatingRooms()
            .On(PutAlias, 500, Error("M_UNKNOWN"))
            .On(StubHomeserver.AliasesLine("!tea:localhost"), 502, Error("M_UNKNOWN"));
        using var service = new ServiceUnderTest(time, homeserver: homeserver);
        Assert.Equal(502, (await QueryAsync(service, Alias)).Status);
        await AfterAnHourAsync(() => homeserver.Calls.Any(call => call.Line == StubHomeserver.AliasesLine("!tea:localhost")));

        homeserver.AliasesOf("!tea:localhost", Alias);
        await AfterAnHourAsync(() => Directory.Exists(Path.Combine(service.Logs, "logged_tea")));
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);
        await Wait.UntilAsync(() => homeserver.Calls.Any(call => call.Line == PutCanonical), "the canonical alias");

        Task AfterAnHourAsync(Func<bool> condition) =>
            Wait.UntilAsync(condition, "the homeserver is asked", () => time.Advance(TimeSpan.FromMinutes(10)));
    }

    private static Dictionary<string, string> RoomsPerHour(int rooms) => new() { ["LoggingService:RoomsPerHour"] = $"{rooms}" };
}
