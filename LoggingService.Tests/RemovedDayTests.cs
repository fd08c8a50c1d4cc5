using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>What stays known of days that retention removes.</summary>
public class RemovedDayTests
{
    [Fact]
    public async Task An_event_of_a_removed_day_is_not_logged_again_also_if_the_service_was_killed_on_that_day()
    {
        var folder = TempFolder.ForCaller();
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero));
        var settings = new Dictionary<string, string> { ["LoggingService:RetainDays"] = "2" };
        var room = Some.RoomId();
        var message = Some.Message(room);
        var killed = new ServiceUnderTest(time, folder, settings: settings);
        Assert.Equal(200, (await killed.PushAsync("1", message)).Status);
        await killed.CheckpointAsync();
        folder = await killed.StopAsync(folder, isKilled: true);
        Assert.Empty(Directory.GetFiles(folder["logs", room], "*.ids"));

        time.Advance(TimeSpan.FromDays(4));
        using (var service = new ServiceUnderTest(time, folder, settings: settings))
        {
            Assert.Equal(200, (await service.PushAsync("2", Some.Message(Some.RoomId()))).Status);
            await Wait.UntilAsync(
                () => Directory.GetFiles(folder["logs", room], "*.jsonl").Length == 0,
                "the day is removed",
                () => time.Advance(TimeSpan.FromSeconds(1)));
            Assert.Equal(200, (await service.PushAsync("1", message)).Status);
            Assert.Empty(service.Record(room));
        }

        folder.Dispose();
    }

    [Fact]
    public async Task What_is_missing_of_a_day_that_was_removed_is_not_fetched()
    {
        using var folder = TempFolder.ForCaller();
        var noon = new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
        var time = new FakeTimeProvider(noon);
        var room = Some.RoomId();
        var history = new StubHistory(room);
        using (var first = Start())
        {
            await first.PushAsync("1", Add("one", noon));
            await Wait.UntilAsync(
                () => File.Exists(folder["logs", ".history", "checked"]), "a comparison", () => time.Advance(TimeSpan.FromSeconds(1)));
        }

        Add("of a removed day", noon.AddDays(1));
        Add("lost", noon.AddDays(3));
        await File.WriteAllTextAsync(folder["logs", ".removed"], "2026-11-23 *\n", TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromDays(3));
        using var service = Start();
        await service.PushAsync("2", Add("two", noon.AddDays(3)));
        await Wait.UntilAsync(
            () => service.Record(room).Any(line => line.Contains("\"lost\"", StringComparison.Ordinal)), "the lost event is fetched",
            () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.DoesNotContain(service.Record(room), line => line.Contains("of a removed day", StringComparison.Ordinal));

        string Add(string body, DateTimeOffset at) => history.Add(Some.Message(room, body, at: at.ToUnixTimeMilliseconds()));

        ServiceUnderTest Start() => new(time, folder, homeserver: new StubHomeserver().WithoutAliases().History(history));
    }
}
