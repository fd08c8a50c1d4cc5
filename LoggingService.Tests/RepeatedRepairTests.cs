using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A repair that fails half-way and is repeated, as on a full disk, passes each line on once.</summary>
public sealed class RepeatedRepairTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();
    private readonly string _room = Some.RoomId();

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_line_is_counted_and_shown_once()
    {
        using var disk = await SmallDisk.MountAsync(_folder["logs", _room], "2m");
        await using var service = await RunningService.StartMonitoredAsync(
            _folder, _homeserver, "env", "ServiceLog__RoomActivity=on");
        disk.Fill();

        // The first transaction fits without the filler, and the second one does not.
        var small = Enumerable.Range(0, 1000).Select(i => Some.Message(_room, $"small {i}."));
        var large = Enumerable.Range(0, 40).Select(i => Some.Message(_room, $"large {i}." + new string('x', 60_000)));
        Assert.Equal(200, await service.PushAsync(small));
        await service.Process.WaitForLineAsync("Failed to write the log of");
        Assert.Equal(200, await service.PushAsync(large));
        disk.Clear();
        await service.Process.WaitForLineAsync("small 999\\.");

        await disk.ResizeAsync("20m");
        await service.Process.WaitForLineAsync("The log of .* is written again", TimeSpan.FromMinutes(1));
        await service.Process.WaitForLineAsync("large 39\\.");
        var metrics = await service.GetMetricsAsync();
        Assert.Equal(1040, metrics["events_processed_total{outcome=\"logged\"}"]);
        Assert.Equal(0, metrics["events_processed_total{outcome=\"duplicate\"}"]);
        Assert.Equal(1000, service.Process.Output.Count(line => line.Contains("> small ", StringComparison.Ordinal)));
        Assert.Equal(40, service.Process.Output.Count(line => line.Contains("> large ", StringComparison.Ordinal)));
        Assert.Equal(1040, LogFolder.EventIds(service.Logs, _room).Distinct().Count());
        Assert.Equal(1040, LogFolder.EventIds(service.Logs, _room).Count);
    }
}
