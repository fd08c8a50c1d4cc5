namespace LoggingService.RoomLogs;

/// <summary>
/// Background work of the log directory: replay at start, retries and checkpoints, removal of old days, a final checkpoint.
/// </summary>
internal sealed partial class LogMaintenance(
    LogDirectory logs, RoomRetention roomRetention, KeptVisibility visibility, LogSpace space, LoggingServiceOptions options,
    TimeProvider time, ILogger<LogMaintenance> logger) : BackgroundService
{
    /// <summary>The process has 10 s to stop, of which in-flight requests may take half.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(4);

    // StopAsync can be called twice (WebApplicationFactory); the log directory stops once.
    private readonly Lazy<Task> _stopped = new(logs.StopAsync);
    private (DateOnly Today, int? RetainDays, bool IsByRoom, int RetainDaysMin)? _cleaned;
    private string? _restoreError;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        visibility.Subscribe();
        logs.Start();
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await _stopped.Value.WaitAsync(StopTimeout, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // The next start replays the journal.
        }
    }

    // In loops of their own: while the directory is gone, a checkpoint waits, and a removal of days waits for rooms that are busy.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken) => await await Task.WhenAny(
        RepeatAsync(RestoreAsync, stoppingToken),
        RepeatAsync(logs.TickAsync, stoppingToken),
        RepeatAsync(
            async () =>
            {
                await RemoveOldDaysAsync();
                await space.CheckAsync();
            },
            stoppingToken));

    private static async Task RepeatAsync(Func<Task> action, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await action();
        }
    }

    private async Task RestoreAsync()
    {
        try
        {
            await logs.Guard.RestoreIfMovedAsync();
            _restoreError = null;
        }
        catch (FatalException e)
        {
            // Another service has taken over the directory: both would write to it.
            Log.DirectoryLost(logger, e.Message);
            Environment.Exit(1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Once, not for each attempt.
            if (_restoreError != e.Message)
            {
                Log.NotRestored(logger, e.Message);
                _restoreError = e.Message;
            }
        }
    }

    private async Task RemoveOldDaysAsync()
    {
        var today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        var isByRoom = options.HonourRoomRetention == "on";
        var settings = (today, options.RetainDays, isByRoom, options.RetainDaysMin);
        if (_cleaned == settings)
        {
            return;
        }

        _cleaned = settings;
        try
        {
            if (options.RetainDays is { } days)
            {
                await logs.RemoveDaysBeforeAsync(today.AddDays(-days), nameof(options.RetainDays));
            }

            if (isByRoom)
            {
                await roomRetention.RemoveOldDaysAsync(today);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotRemoved(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LogDirectoryLost, LogLevel.Critical, "{Reason} Stopping.")]
        public static partial void DirectoryLost(ILogger logger, string reason);

        [LoggerMessage(EventIds.LogDirectoryNotRestored, LogLevel.Error, "Failed to create the log directory again: {Reason}. Retrying.")]
        public static partial void NotRestored(ILogger logger, string reason);

        [LoggerMessage(EventIds.OldDaysNotRemoved, LogLevel.Error,
            "Failed to remove old days: {Reason}. The next attempt is tomorrow or at the next start.")]
        public static partial void NotRemoved(ILogger logger, string reason);
    }
}
