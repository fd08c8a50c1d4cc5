using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>A room whose history the homeserver can't read now is compared later, and delays no other room.</summary>
public class OpenRoomTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Noon);
    private readonly StubHistory _broken = new(Some.RoomId());
    private readonly StubHistory _other = new(Some.RoomId());
    private StubHomeserver _homeserver = new();

    [Theory]
    [InlineData(500, """{"errcode":"M_UNKNOWN","error":"Internal server error"}""")]
    [InlineData(504, "<html>504 Gateway Time-out")]
    public async Task Only_the_room_that_failed_is_compared_again_and_from_its_own_time_on(int status, string body)
    {
        using var folder = TempFolder.ForCaller();
        await LogAsync(folder);
        _broken.Add(Message(_broken, "lost 1", 5));
        _other.Add(Message(_other, "lost 2", 5));
        _broken.BeforePage = _ => new(status, body);

        // What was checked before is older than the margin of a start.
        _time.Advance(TimeSpan.FromHours(3));
        using (var service = Start(folder))
        {
            await UntilAsync(service, _other, "<@alice:localhost> lost 2");
            await UntilAsync(() => File.Exists(Open(service)) && Checked(service) >= Noon.AddHours(3), "the round ends");
            var open = File.ReadAllText(Open(service)).TrimEnd().Split(' ');
            Assert.Equal(_broken.RoomId, open[1]);
            Assert.InRange(long.Parse(open[0]), 1, Noon.AddHours(1).ToUnixTimeMilliseconds());
            var (pages, failures) = (_other.Pages, _broken.Pages);
            await UntilAsync(() => _broken.Pages > failures + 4, "the room is tried again");
            Assert.Equal(pages, _other.Pages);
        }

        _time.Advance(TimeSpan.FromHours(3));
        using var restarted = Start(folder);
        await UntilAsync(() => Checked(restarted) >= Noon.AddHours(6), "the round after the restart ends");
        _broken.BeforePage = static _ => null;
        await UntilAsync(restarted, _broken, "<@alice:localhost> lost 1");
        await UntilAsync(() => File.ReadAllText(Open(restarted)).Length == 0, "no room is open");
    }

    [Fact]
    public async Task While_the_homeserver_does_not_answer_at_all_no_room_is_given_up()
    {
        using var folder = TempFolder.ForCaller();
        await LogAsync(folder);
        _broken.Add(Message(_broken, "lost 1", 5));
        _other.Add(Message(_other, "lost 2", 5));
        _broken.BeforePage = _ => Fail();
        _other.BeforePage = _ => Fail();
        using var service = Start(folder);
        await UntilAsync(() => _broken.Pages + _other.Pages > 0, "a call fails");
        _homeserver.On("GET /_matrix/client/v3/account/whoami", """{"user_id":"@logging:localhost"}""");
        _broken.BeforePage = static _ => null;
        _other.BeforePage = static _ => null;
        await UntilAsync(service, _broken, "<@alice:localhost> lost 1");
        await UntilAsync(service, _other, "<@alice:localhost> lost 2");

        StubHomeserver.Response Fail()
        {
            _homeserver.On("GET /_matrix/client/v3/account/whoami", 502, "bad gateway");
            return new(502, "bad gateway");
        }
    }

    private static string Message(StubHistory room, string body, int minutes) =>
        Some.Message(room.RoomId, body, at: Noon.AddMinutes(minutes).ToUnixTimeMilliseconds());

    private static string Open(ServiceUnderTest service) => Path.Combine(service.Logs, ".history", "open");

    private static DateTimeOffset? Checked(ServiceUnderTest service) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(File.ReadAllText(Path.Combine(service.Logs, ".history", "checked"))));

    /// <summary>Logs an event in each of the rooms, and compares them.</summary>
    private async Task LogAsync(TempFolder folder)
    {
        using var service = Start(folder);
        foreach (var room in (StubHistory[])[_broken, _other])
        {
            Assert.Equal(200, (await service.PushAsync(Guid.NewGuid().ToString("N"), room.Add(Message(room, "one", 0)))).Status);
        }

        await UntilAsync(() => File.Exists(Path.Combine(service.Logs, ".history", "checked")), "the rooms were compared");
    }

    private ServiceUnderTest Start(TempFolder folder)
    {
        _homeserver = new StubHomeserver().WithoutAliases().History(_broken).History(_other);
        var service = new ServiceUnderTest(_time, folder, homeserver: _homeserver);
        _ = service.Client;
        return service;
    }

    private Task UntilAsync(Func<bool> condition, string what) =>
        Wait.UntilAsync(condition, what, () => _time.Advance(TimeSpan.FromSeconds(2)));

    private Task UntilAsync(ServiceUnderTest service, StubHistory room, string line) =>
        UntilAsync(() => service.Lines(room.RoomId).Contains(line), line);
}
