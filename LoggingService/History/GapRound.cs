namespace LoggingService.History;

/// <summary>One comparison of rooms' histories with their logs, which is due.</summary>
/// <param name="Since">Until an event that was received before this time, in milliseconds since 1970.</param>
/// <param name="IsOfActiveRooms">Only the rooms that had events since the last round.</param>
/// <param name="LostSince">When the homeserver was last known to run, if it could not be reached since.</param>
internal sealed record GapRound(long Since, bool IsOfActiveRooms = false, long? LostSince = null)
{
    /// <summary>A round in place of both.</summary>
    public static GapRound? Merge(GapRound? first, GapRound? second) => first is null || second is null
        ? first ?? second
        : new(
            Math.Min(first.Since, second.Since), first.IsOfActiveRooms && second.IsOfActiveRooms,
            first.LostSince is { } lost && !(second.LostSince < lost) ? lost : second.LostSince);
}
