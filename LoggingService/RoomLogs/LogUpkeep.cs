namespace LoggingService.RoomLogs;

/// <summary>Background work of the log directory: replay at start, checkpoints, removal of old days, a final checkpoint.</summary>
internal sealed partial class LogUpkeep(LogDirectory logs, LoggingServiceOptions options, TimeProvider time, ILogger<LogUpkeep> logger)
    : BackgroundService
{
    private const long LargeJournal = 16 * 1024 * 1024;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    /// <summary>The process has 10 s to stop, of which in-flight requests may take half.</summary>
    private static readonly TimeSpan LastCheckpoint = TimeSpan.FromSeconds(4);

    // StopAsync can be called twice (WebApplicationFactory); run the final checkpoint once.
    private readonly Lazy<Task> _lastCheckpoint = new(() => CheckpointForTheLastTimeAsync(logs));
    private DateOnly? _cleanedOn;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await logs.TryRecoverAsync();
        await RemoveOldDaysAsync();
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _lastCheckpoint.Value;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var lastCheckpoint = time.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await tick.WaitForNextTickAsync(stoppingToken))
        {
            var isIdle = time.GetElapsedTime(logs.LastCommit) >= Idle;
            var isToBeTriedAgain = logs.IsCheckpointOpen && time.GetElapsedTime(lastCheckpoint) >= Idle;
            if (logs.JournalSize > LargeJournal || (logs.JournalSize > 0 && isIdle) || isToBeTriedAgain)
            {
                await logs.CheckpointAsync(stoppingToken);
                lastCheckpoint = time.GetTimestamp();
            }

            await RemoveOldDaysAsync();
        }
    }

    private static async Task CheckpointForTheLastTimeAsync(LogDirectory logs)
    {
        using var enough = new CancellationTokenSource(LastCheckpoint);
        try
        {
            await Task.Run(() => logs.CheckpointAsync(enough.Token), CancellationToken.None).WaitAsync(enough.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task RemoveOldDaysAsync()
    {
        var today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        if (options.RetainDays is not { } days || _cleanedOn == today)
        {
            return;
        }

        _cleanedOn = today;
        try
        {
            await logs.RemoveDaysBeforeAsync(today.AddDays(-days));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotRemoved(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.OldDaysNotRemoved, LogLevel.Error,
            "Failed to remove days older than RetainDays: {Reason}. The next attempt is tomorrow or at the next start.")]
        public static partial void NotRemoved(ILogger logger, string reason);
    }
}
