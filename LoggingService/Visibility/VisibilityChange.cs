namespace LoggingService.Visibility;

/// <summary>From here on a room's history is world readable, or it is not, or that is not known, which is the same for a reader.</summary>
/// <param name="SentAt">By its server, in milliseconds since 1970.</param>
/// <param name="ReceivedAt">By the service.</param>
/// <param name="IsFetched">It was not pushed: its place in the record does not tell when it happened.</param>
/// <param name="IsFirst">It counts only where no other change is before it: <see cref="RoomLogs.HistoryVisibility.IsFirst"/>.</param>
internal readonly record struct VisibilityChange(
    LogPosition Position, long SentAt, long ReceivedAt, bool IsFetched, bool IsWorldReadable, bool IsFirst = false)
{
    /// <summary>
    /// When it counts for events whose place does not tell when they happened. Of two clocks, the one is believed with which less is
    /// visible.
    /// </summary>
    public long CountsFrom => IsFetched ? SentAt : IsWorldReadable ? Math.Max(SentAt, ReceivedAt) : Math.Min(SentAt, ReceivedAt);
}
