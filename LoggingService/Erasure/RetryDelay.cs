namespace LoggingService.Erasure;

/// <summary>When something that fails is retried: after 10 s, and twice as long after each further failure, up to 5 minutes.</summary>
internal sealed class RetryDelay(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private TimeSpan _delay;
    private long _failedAt;

    /// <summary>Whether it may run now.</summary>
    public bool IsDue => _delay == TimeSpan.Zero || time.GetElapsedTime(_failedAt) >= _delay;

    public void Succeeded() => _delay = TimeSpan.Zero;

    public void Failed()
    {
        _failedAt = time.GetTimestamp();
        _delay = _delay == TimeSpan.Zero ? First : TimeSpan.FromTicks(Math.Min(_delay.Ticks * 2, Longest.Ticks));
    }
}
