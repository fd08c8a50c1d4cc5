namespace LoggingService.Search;

/// <summary>
/// Rows of the index are in the order of time: a row's number is the second of the event, times 8, and a place within the second. Where
/// a second is full, the next one is used.
/// </summary>
internal static class RowTime
{
    public const int RowsPerSecond = 8;

    // No Matrix event is older; the fewer digits, the smaller the index.
    private static readonly long Start = new DateTimeOffset(2014, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();
    private static readonly long MaxTime = DateTimeOffset.MaxValue.AddDays(-1).ToUnixTimeMilliseconds();
    private static readonly long Day = (long)TimeSpan.FromDays(1).TotalMilliseconds;

    /// <summary>The first row of a second.</summary>
    /// <param name="milliseconds">Since 1970.</param>
    public static long FirstRow(long milliseconds) =>
        Math.Max(0, (Math.Clamp(milliseconds, 0, MaxTime) / 1000) - Start) * RowsPerSecond;

    /// <summary>As above, of an event: its own time, but for one that claims to be from the future.</summary>
    public static long FirstRow(RoomEvent e)
    {
        var received = Math.Clamp(e.ReceivedTs ?? MaxTime, 0, MaxTime);
        return FirstRow(Math.Min(e.OriginServerTs ?? received, received + Day));
    }

    /// <summary>The time of a row, in seconds.</summary>
    public static DateTimeOffset TimeOf(long row) => DateTimeOffset.FromUnixTimeSeconds(Start + (row / RowsPerSecond));
}
