namespace LoggingService.Rooms;

/// <summary>Limits calls that other users cause to a number a minute.</summary>
internal sealed class CallLimit(int callsPerMinute, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<long> _calls = [];

    public bool TryAcquire()
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            while (_calls.TryPeek(out var oldest) && time.GetElapsedTime(oldest, now) >= TimeSpan.FromMinutes(1))
            {
                _calls.Dequeue();
            }

            if (_calls.Count >= callsPerMinute)
            {
                return false;
            }

            _calls.Enqueue(now);
            return true;
        }
    }
}
