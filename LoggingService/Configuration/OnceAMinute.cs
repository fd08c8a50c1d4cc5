namespace LoggingService.Configuration;

/// <summary>For what strangers can cause as often as they like: the log is told of it once a minute.</summary>
public sealed class OnceAMinute(TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private DateTimeOffset _told = DateTimeOffset.MinValue;

    /// <summary>Whether it is time to tell it; then it is told, for a minute.</summary>
    public bool IsTimeToTell()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var isTime = now - _told >= Quiet;
            _told = isTime ? now : _told;
            return isTime;
        }
    }
}
