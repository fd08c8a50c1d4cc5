namespace LoggingService.Visibility;

/// <summary>Keeps <see cref="VisibleRooms"/> up to date: what an admin hides is off every page within a second.</summary>
internal sealed class VisibleRoomsRefresh(VisibleRooms rooms) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(RepeatAsync(rooms.RefreshHidden, stoppingToken), RepeatAsync(rooms.Refresh, stoppingToken));

    private static async Task RepeatAsync(Action refresh, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        do
        {
            await Task.Run(refresh, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
