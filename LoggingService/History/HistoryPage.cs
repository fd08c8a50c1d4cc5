namespace LoggingService.History;

/// <summary>A page of a room's history.</summary>
/// <param name="Events">In the order in which they were asked for.</param>
/// <param name="Start">The position of the first event; <c>null</c> if it is not known.</param>
/// <param name="End">Where the next page starts; <c>null</c> behind the last one. A page may be empty and not the last.</param>
internal sealed record HistoryPage(IReadOnlyList<RoomEvent> Events, string? Start, string? End)
{
    /// <summary>When the first event was sent, in milliseconds since 1970; <c>null</c> if there is none.</summary>
    public long? FirstSent => Events.Count == 0 ? null : SentAt(Events[0]);

    /// <summary>When the last event was sent.</summary>
    public long? LastSent => Events.Count == 0 ? null : SentAt(Events[^1]);

    /// <summary>Whether all events were sent before a time.</summary>
    public bool IsBefore(long time) => Events.Count > 0 && Events.All(e => SentAt(e) < time);

    /// <summary>Whether all events were sent at a time or after it.</summary>
    public bool IsSince(long time) => Events.Count > 0 && Events.All(e => SentAt(e) >= time);

    private static long SentAt(RoomEvent e) => e.OriginServerTs ?? 0;
}
