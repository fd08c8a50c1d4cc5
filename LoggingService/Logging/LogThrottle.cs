namespace LoggingService.Logging;

/// <summary>Lets one log message through per minute, where strangers can cause any number of them.</summary>
internal sealed class LogThrottle(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private long? _acquiredAt;

    public bool TryAcquire()
    {
        lock (_lock)
        {
            if (_acquiredAt is { } acquiredAt && time.GetElapsedTime(acquiredAt) < Interval)
            {
                return false;
            }

            _acquiredAt = time.GetTimestamp();
            return true;
        }
    }
}
