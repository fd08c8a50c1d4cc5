namespace LoggingService.Rooms;

internal sealed class CreationLimit(LoggingServiceOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();

    /// <summary>Timestamps, which are monotonic: the clock may be set back.</summary>
    private readonly List<long> _reservations = [];

    public bool TryReserve(out long reservation)
    {
        var now = time.GetTimestamp();
        reservation = now;
        lock (_lock)
        {
            _reservations.RemoveAll(reserved => time.GetElapsedTime(reserved, now) >= TimeSpan.FromHours(1));
            if (_reservations.Count >= options.RoomsPerHour)
            {
                return false;
            }

            _reservations.Add(now);
            return true;
        }
    }

    public void Release(long reservation)
    {
        lock (_lock)
        {
            _reservations.Remove(reservation);
        }
    }
}
