namespace LoggingService.Visibility;

/// <summary>
/// When a room's history was world readable. Pushed events are in the order of the record; events that were fetched later stand elsewhere
/// in it, and count by their time. Where the record does not tell, the history was not world readable.
/// </summary>
internal sealed class VisibilityTimeline
{
    private readonly VisibilityChange[] _pushed;
    private readonly VisibilityChange[] _fetched;
    private readonly VisibilityChange[] _byTime;

    public VisibilityTimeline(IEnumerable<VisibilityChange> changes)
    {
        var all = changes.OrderBy(change => change.Position).Where((change, index) => !change.IsFirst || index == 0).ToList();
        _pushed = [.. all.Where(change => !change.IsFetched).OrderBy(change => change.Position)];
        _fetched = [.. all.Where(change => change.IsFetched).OrderBy(change => change.SentAt)];
        _byTime = [.. all.OrderBy(change => change.CountsFrom).ThenByDescending(change => change.IsWorldReadable)];
        IsNow = IsOfPushed(_pushed.Length > 0 ? _pushed[^1] : null, _fetched.Length > 0 ? _fetched[^1] : null);
    }

    /// <summary>The history is world readable now.</summary>
    public bool IsNow { get; }

    /// <param name="sentAt">By the event's server, in milliseconds since 1970.</param>
    /// <param name="isFetched">The event was not pushed.</param>
    public bool IsWorldReadable(LogPosition position, long sentAt, bool isFetched)
    {
        if (isFetched)
        {
            return Last(_byTime, change => change.CountsFrom <= sentAt) is { IsWorldReadable: true };
        }

        var pushed = Last(_pushed, change => change.Position <= position);
        return _fetched.Length == 0
            ? pushed is { IsWorldReadable: true }
            : IsOfPushed(pushed, Last(_fetched, change => change.SentAt <= sentAt));
    }

    /// <summary>How many events of a day are visible; <c>null</c> if they must be looked at.</summary>
    public int? CountOf(DayFacts facts)
    {
        var pushed = facts.Lines == facts.Fetched ? false : OfPushed(facts.Day);
        var fetched = facts.Fetched == 0 ? false : OfFetched(facts.FetchedFrom, facts.FetchedTo);
        return (pushed, fetched) switch
        {
            (false, false) => 0,

            // Of which kind the withheld lines are is not known.
            ({ } ofPushed, { } ofFetched) when facts.Withheld.Length == 0 =>
                (ofPushed ? facts.Lines - facts.Fetched : 0) + (ofFetched ? facts.Fetched : 0),
            _ => null,
        };
    }

    /// <summary>
    /// Whether the lines of a day that were pushed are all visible, or none is; <c>null</c> if they must be looked at.
    /// </summary>
    private bool? OfPushed(DateOnly day)
    {
        var before = Last(_pushed, change => change.Position.Day < day);
        var isConstant = _pushed.All(change => change.Position.Day != day)
            && _fetched.All(change => before?.ReceivedAt > change.SentAt && before?.Position > change.Position);
        return isConstant ? before is { IsWorldReadable: true } : null;
    }

    /// <summary>Whether fetched events between two times are all visible, or none is; <c>null</c> if they must be looked at.</summary>
    private bool? OfFetched(long from, long to)
    {
        var before = Last(_byTime, change => change.CountsFrom <= from);
        return before == Last(_byTime, change => change.CountsFrom <= to) ? before is { IsWorldReadable: true } : null;
    }

    /// <summary>Whether another timeline has the same changes.</summary>
    public bool HasSameChanges(VisibilityTimeline other) => _pushed.SequenceEqual(other._pushed) && _fetched.SequenceEqual(other._fetched);

    /// <summary>
    /// The later one counts; both must allow it where their times are the same, or where the fetched one stands behind the other in the
    /// record, in case the clock of its server is slow.
    /// </summary>
    private static bool IsOfPushed(VisibilityChange? pushed, VisibilityChange? fetched) => (pushed, fetched) switch
    {
        (null, null) => false,
        ({ } only, null) => only.IsWorldReadable,
        (null, { } only) => only.IsWorldReadable,
        ({ } first, { } second) when first.ReceivedAt > second.SentAt && first.Position > second.Position => first.IsWorldReadable,
        ({ } first, { } second) when first.ReceivedAt < second.SentAt => second.IsWorldReadable,
        ({ } first, { } second) => first.IsWorldReadable && second.IsWorldReadable,
    };

    /// <summary>The last of the changes at the start of the order that match.</summary>
    private static VisibilityChange? Last(VisibilityChange[] changes, Predicate<VisibilityChange> matches)
    {
        var (low, high) = (0, changes.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (matches(changes[middle]))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low == 0 ? null : changes[low - 1];
    }
}
