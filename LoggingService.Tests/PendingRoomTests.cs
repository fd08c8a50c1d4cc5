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
        Assert.Equal(200, (await QueryAsync(service, "#logged_1:localhost")).Status);
        Assert.DoesNotContain(homeserver.Calls, call => call.Line == LeaveTea);

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(200, (await QueryAsync(service, "#logged_2:localhost")).Status);
        await Wait.UntilAsync(() => homeserver.Calls.Any(call => call.Line == LeaveTea), "the room is left");
    }

    private static Dictionary<string, string> RoomsPerHour(int rooms) => new() { ["LoggingService:RoomsPerHour"] = $"{rooms}" };
}
