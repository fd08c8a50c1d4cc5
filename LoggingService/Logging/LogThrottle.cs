namespace LoggingService.Logging;

/// <summary>For what strangers can cause as often as they like: the log is told of it once a minute.</summary>
internal sealed class LogThrottle(TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private long? _told;

    /// <summary>Whether it is time to tell it; then it is told, for a minute.</summary>
    public bool TryAcquire()
    {
        lock (_lock)
        {
            var isTime = _told is not { } told || time.GetElapsedTime(told) >= Quiet;
            _told = isTime ? time.GetTimestamp() : _told;
            return isTime;
        }
    }
}
