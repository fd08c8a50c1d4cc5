using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>Erases while the service runs: what the command <c>erase</c> asks for, and, with <c>Redactions</c> <c>erase</c>, what was
/// redacted.</summary>
internal sealed partial class ErasureService(
    LogDirectory logs, Eraser eraser, RedactedEvents redacted, TimeProvider time, ILogger<ErasureService> logger) : BackgroundService
{
    private const string Retried = "The service retries what failed.";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly ErasureFiles _files = new(logs.Root);
    private readonly RetryDelay _requestDelay = new(time);
    private string? _redactionError;
    private string? _requestError;

    /// <summary>The request that failed, and the report of its last run; <c>null</c> if that did not end.</summary>
    private (ErasureRequest Request, ErasureReport? Report)? _failed;

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
            _redactionError = await TryAsync(() => redacted.EraseAsync(stoppingToken), _redactionError);
            if (IsRequestDue())
            {
                _requestError = await TryAsync(() => RunRequestAsync(stoppingToken), _requestError);
                if (_requestError is null)
                {
                    _requestDelay.Succeeded();
                }
                else
                {
                    _requestDelay.Failed();
                }
            }
        }
    }

    /// <summary>Returns why an action failed; <c>null</c> if it did not.</summary>
    private async Task<string?> TryAsync(Func<Task> action, string? lastError)
    {
        try
        {
            await action();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Once, not for each attempt.
            if (e.Message != lastError)
            {
                Log.Failed(logger, e.Message);
            }

            return e.Message;
        }
    }

    /// <summary>Whether a request may be run. One that failed waits, but not another one that replaced it.</summary>
    private bool IsRequestDue()
    {
        if (_failed is { } failed && TryReadRequest()?.IsSameAs(failed.Request) == false)
        {
            _failed = null;
            _requestDelay.Succeeded();
        }

        return _requestDelay.IsDue;
    }

    private ErasureRequest? TryReadRequest()
    {
        try
        {
            return _files.ReadRequest();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Runs a request if there is one, and reports its result. It stays if it fails, or the service stops meanwhile.</summary>
    private async Task RunRequestAsync(CancellationToken stoppingToken)
    {
        if (_files.ReadRequest() is not { } request)
        {
            _failed = null;
            return;
        }

        _files.WriteRequest(request with { IsResumed = true });
        ErasureReport report;
        try
        {
            report = await eraser.RunAsync(request, _failed?.Report, stoppingToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failed = (request, null);

            // What was erased in part is found only by this request: it is repeated until it succeeds.
            _files.Report([$"{ErasureText.Failed}{e.Message}", Retried]);
            throw;
        }

        Log.Erased(logger, report.Erased, report.Days.Count, report.Rooms);
        if (report.Failures.Count > 0)
        {
            // Only these rooms are erased again.
            _failed = (request, report);
            _files.Report(ErasureText.Result(report).Append(Retried));
            throw new IOException(string.Join("; ", report.Failures));
        }

        _failed = null;
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
