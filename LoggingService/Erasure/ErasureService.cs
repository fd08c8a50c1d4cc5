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
            try
            {
                try
                {
                    // First: a request that fails again and again must not keep the words of redacted events.
                    await redacted.EraseAsync(stoppingToken);
                }
                finally
                {
                    if (_files.ReadRequest() is { } request)
                    {
                        await RunAsync(request, stoppingToken);
                    }
                }

                _lastError = null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Once, not for each attempt.
                if (_lastError != e.Message)
                {
                    Log.Failed(logger, e.Message);
                    _lastError = e.Message;
                }

                await Task.Delay(Interval * 10, stoppingToken);
            }
        }
    }

    /// <summary>Runs a request, and reports its result. The request stays if it fails, or the service stops meanwhile.</summary>
    private async Task RunAsync(ErasureRequest request, CancellationToken stoppingToken)
    {
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
