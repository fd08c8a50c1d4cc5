using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What a repair appends is noticed as what is appended otherwise.</summary>
public class RepairedRoomTests
{
    private const string Tea = "#logged_tea:localhost";
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task An_alias_that_a_room_gets_while_it_is_parked_is_linked_when_it_is_logged()
    {
        var homeserver = new StubHomeserver().CreatingRooms().Alias(Tea, _room);
        using var service = new ServiceUnderTest(homeserver: homeserver) { MaxRetryDelay = TimeSpan.FromSeconds(1) };
        Assert.NotNull(service.Client);
        Park(service.Logs);
        await PushAsync(service, Some.CanonicalAlias(_room, Tea));
        Assert.Null(Link());

        File.Delete(Path.Combine(service.Logs, _room));

        await Wait.UntilAsync(() => Link() == _room, "the link of the room");
        Assert.Single(service.Record(_room));

        string? Link() => new DirectoryInfo(Path.Combine(service.Logs, "logged_tea")).LinkTarget;
    }

    [Fact]
    public async Task A_repair_shows_only_the_lines_that_were_not_shown()
    {
        using var service = new ServiceUnderTest { RepairInterval = TimeSpan.Zero };
        await PushAsync(service, Some.Message(_room, "one"));
        File.AppendAllText(Directory.GetFiles(Path.Combine(service.Logs, _room), "2*.log").Single(), "another program's line\n");

        await PushAsync(service, Some.Message(_room, "two"));
        await service.CaughtUpAsync();
        await PushAsync(service, Some.Message(_room, "three"));

        await Wait.UntilAsync(() => Shown().Any(line => line.EndsWith("three", StringComparison.Ordinal)), "the last line");
        Assert.Equal(["one", "two", "three"], Shown().Select(line => line[(line.LastIndexOf(' ') + 1)..]));

        IEnumerable<string> Shown() => service.Logged
            .Where(e => e.Properties.ContainsKey("Line"))
            .Select(e => e.RenderMessage());
    }

    private void Park(string logs) => File.WriteAllText(Path.Combine(logs, _room), "");

    private static async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync(Guid.NewGuid().ToString("N"), events)).Status);
}
