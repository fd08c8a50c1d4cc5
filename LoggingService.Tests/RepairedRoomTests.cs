using System.Text.Json;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>What a repair appends is noticed as what is appended otherwise, and the ids of a removed day outlive it.</summary>
public class RepairedRoomTests
{
    private const string Tea = "#logged_tea:localhost";
    private readonly FakeTimeProvider _time = new(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
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

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task An_event_of_a_day_whose_files_were_removed_is_not_logged_again(bool isParked, bool keepsText)
    {
        using var folder = TempFolder.ForCaller();
        var removed = Some.Message(_room, "removed");
        var parked = Some.Message(_room, "parked");
        using (var service = new ServiceUnderTest(_time, folder))
        {
            await PushAsync(service, removed);
        }

        Remove(folder["logs"], keepsText);
        using (var service = new ServiceUnderTest(_time, folder) { MaxRetryDelay = TimeSpan.FromSeconds(1) })
        {
            Assert.NotNull(service.Client);
            if (isParked)
            {
                Directory.Move(folder["logs", _room], folder["logs", _room] + ".away");
                Park(service.Logs);
                await PushAsync(service, parked);
                File.Delete(folder["logs", _room]);
                Directory.Move(folder["logs", _room] + ".away", folder["logs", _room]);
                await Wait.UntilAsync(() => LogFolder.EventIds(service.Logs, _room).Count > 0, "the repair");
            }

            await PushAsync(service, removed, parked);
            AssertLogged(service, "parked");
        }

        // From the file, and as the ids of an earlier day.
        foreach (var days in (int[])[0, 1])
        {
            _time.Advance(TimeSpan.FromDays(days));
            using var restarted = new ServiceUnderTest(_time, folder);
            await PushAsync(restarted, removed, parked);
            AssertLogged(restarted, "parked");
        }
    }

    [Fact]
    public async Task An_event_that_only_the_journal_has_is_logged_although_it_is_among_the_ids_of_its_day()
    {
        using var folder = TempFolder.ForCaller();
        using var cut = TempFolder.ForCaller();
        using (var service = new ServiceUnderTest(_time, folder))
        {
            await PushAsync(service, Some.Message(_room, "one"), Some.Message(_room, "two"));
            LogFolder.Copy(service.Logs, cut["logs"]);
        }

        // The power cut lost the record, which was not synced, and kept the ids.
        File.Copy(folder["logs", _room, "20261123.ids"], cut["logs", _room, "20261123.ids"]);
        Remove(cut["logs"], keepsText: false);

        using var restarted = new ServiceUnderTest(_time, cut);
        Assert.NotNull(restarted.Client);
        await restarted.CaughtUpAsync();
        AssertLogged(restarted, "one", "two");
    }

    private void Park(string logs) => File.WriteAllText(Path.Combine(logs, _room), "");

    private void Remove(string logs, bool keepsText)
    {
        File.Delete(Path.Combine(logs, _room, "20261123.jsonl"));
        if (!keepsText)
        {
            File.Delete(Path.Combine(logs, _room, "20261123.log"));
        }
    }

    private void AssertLogged(ServiceUnderTest service, params string[] bodies) => Assert.Equal(
        bodies, service.Record(_room).Select(line => JsonElement.Parse(line).GetProperty("content").GetProperty("body").GetString()!));

    private static async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync(Guid.NewGuid().ToString("N"), events)).Status);
}
