using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>Erases while the service runs: what the command <c>erase</c> asks for, and, with <c>Redactions</c> <c>erase</c>, what was
/// redacted.</summary>
internal sealed partial class ErasureService(
    LogDirectory logs, Eraser eraser, RedactedEvents redacted, ILogger<ErasureService> logger) : BackgroundService
{
    private const string Retried = "The service retries what failed.";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly ErasureFiles _files = new(logs.Root);
    private string? _lastError;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        redacted.Subscribe();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // One that fails must not keep the other from erasing.
            var redactionError = await TryAsync(() => redacted.EraseAsync(stoppingToken));
            var error = await TryAsync(() => RunRequestAsync(stoppingToken)) ?? redactionError;

            // Once, not for each attempt.
            if (error is not null && error != _lastError)
            {
                Log.Failed(logger, error);
            }

            _lastError = error;
            if (error is not null)
            {
                await Task.Delay(Interval * 10, stoppingToken);
            }
        }
    }

    /// <summary>Returns why an action failed; <c>null</c> if it did not.</summary>
    private static async Task<string?> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>Runs a request if there is one, and reports its result. It stays if it fails, or the service stops meanwhile.</summary>
    private async Task RunRequestAsync(CancellationToken stoppingToken)
    {
        if (_files.ReadRequest() is not { } request)
        {
            return;
        }

        _files.WriteRequest(request with { IsResumed = true });
        ErasureReport report;
        try
        {
            report = await eraser.RunAsync(request, stoppingToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was erased in part is found only by this request: it is repeated until it succeeds.
            _files.Report([$"{ErasureText.Failed}{e.Message}", Retried]);
            throw;
        }

        Log.Erased(logger, report.Erased, report.Days.Count, report.Rooms);
        if (report.Failures.Count > 0)
        {
            _files.Report(ErasureText.Result(report).Append(Retried));
            throw new IOException(string.Join("; ", report.Failures));
        }

        _files.End(ErasureText.Result(report));
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.EventsErased, LogLevel.Information, "Erased {Lines} lines on {DayCount} days of {RoomCount} rooms")]
        public static partial void Erased(ILogger logger, int lines, int dayCount, int roomCount);

        [LoggerMessage(EventIds.ErasureFailed, LogLevel.Error, "Failed to erase: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
