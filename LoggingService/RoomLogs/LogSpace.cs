using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Keeps the logs within <c>MaxBytes</c>, and warns once a day while the file system has less than <c>WarnFreeBytes</c>.</summary>
internal sealed partial class LogSpace(LogDirectory logs, LoggingServiceOptions options, TimeProvider time, ILogger<LogSpace> logger)
{
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan FreeSpaceInterval = TimeSpan.FromMinutes(1);
    private long? _measuredAt;
    private long? _freeReadAt;
    private DateOnly? _warnedOn;

    /// <summary>Does what is due. To be called once a second.</summary>
    public async Task CheckAsync()
    {
        try
        {
            var today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
            if (options.MaxBytes is { } maxBytes && IsDue(ref _measuredAt, MeasureInterval))
            {
                if (await Task.Run(() => Retention.FindFirstKept(logs.Root, maxBytes, today)) is { } keepFrom)
                {
                    await logs.RemoveDaysBeforeAsync(keepFrom, nameof(options.MaxBytes));
                }
            }

            if (_warnedOn != today && IsDue(ref _freeReadAt, FreeSpaceInterval)
                && FreeSpace.Of(logs.Root) is { } free && free.Bytes < options.WarnFreeBytes)
            {
                _warnedOn = today;
                Log.SpaceLow(logger, logs.Root, free.Bytes >> 20);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.CheckFailed(logger, e.Message);
        }
    }

    private bool IsDue(ref long? at, TimeSpan interval)
    {
        if (at is { } before && time.GetElapsedTime(before) < interval)
        {
            return false;
        }

        at = time.GetTimestamp();
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.SpaceLow, LogLevel.Warning,
            "The file system of {Logs} has {FreeMiB} MiB free. When it is almost full, transactions are refused. "
            + "Free space, or let old days be removed with RetainDays or MaxBytes. The warning is repeated once a day.")]
        public static partial void SpaceLow(ILogger logger, string logs, long freeMiB);

        [LoggerMessage(EventIds.SpaceCheckFailed, LogLevel.Error,
            "Failed to keep the logs within MaxBytes: {Reason}. It is retried within the hour.")]
        public static partial void CheckFailed(ILogger logger, string reason);
    }
}
