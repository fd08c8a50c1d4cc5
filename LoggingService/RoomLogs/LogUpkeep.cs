using LoggingService.Logging;
using LoggingService.Options;

namespace LoggingService.RoomLogs;

/// <summary>What the log directory needs beside the transactions: recovery at start, checkpoints, the removal of old days, a last checkpoint at the stop.</summary>
internal sealed partial class LogUpkeep(LogDirectory logs, LoggingServiceOptions options, TimeProvider time, ILogger<LogUpkeep> logger) : BackgroundService
{
    private const long LargeJournal = 16 * 1024 * 1024;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    /// <summary>The process has 10 s to end, of which requests in hand may take half.</summary>
    private static readonly TimeSpan LastCheckpoint = TimeSpan.FromSeconds(4);

    // A host that is stopped from two sides, as a test's is, asks twice: who asks second waits for the same one.
    private readonly Lazy<Task> _lastCheckpoint = new(() => CheckpointForTheLastTimeAsync(logs));
    private DateOnly? _cleanedOn;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await logs.TryRecoverAsync();
        await RemoveOldDaysAsync();
        await base.StartAsync(cancellationToken);
    }

    /// <summary>The last checkpoint, after the web server has ended its requests; what it leaves is in the journal.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _lastCheckpoint.Value;
    }

    /// <inheritdoc/>
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
        [LoggerMessage(EventId = EventIds.OldDaysNotRemoved, Level = LogLevel.Error,
            Message = "Failed to remove days older than RetainDays: {Reason}. The next attempt is tomorrow or at the next start.")]
        public static partial void NotRemoved(ILogger logger, string reason);
    }
}
