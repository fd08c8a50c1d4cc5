namespace LoggingService.History;

/// <summary>
/// Compares a room's history, from its end backwards, with its log. An event is missing if it is not in the log and an older one is: what
/// was sent before the room was logged is not missing, nor what was sent while logging had stopped.
/// </summary>
/// <param name="lines">The newest lines of the log.</param>
/// <param name="findEarlier">Finds the line of an event that is not among them; its time is 0 if the line was removed.</param>
/// <param name="since">Until an event that was received before this time, in milliseconds since 1970, the history is compared.</param>
/// <param name="isQuiet">
/// No events arrive: those behind the last one in the log are missing, too. Otherwise they may be on their way.
/// </param>
/// <param name="mayBeLogged">Others are not missing.</param>
internal sealed class GapFinder(
    RecentLines lines, Func<string, KnownLine?> findEarlier, long since, bool isQuiet, Predicate<RoomEvent> mayBeLogged)
{
    private Gap _pending = new();
    private bool _hasKnown;

    /// <summary>What is missing.</summary>
    public Gap Gap { get; } = new();

    /// <summary>Compares a page; false if the next one need not be read.</summary>
    public bool Add(HistoryPage page)
    {
        foreach (var e in page.Events)
        {
            if ((lines.Find(e.EventId) ?? findEarlier(e.EventId)) is not { } known)
            {
                if ((_hasKnown || isQuiet) && mayBeLogged(e))
                {
                    _pending.Add(e, page);
                }

                continue;
            }

            if (known.IsFetched)
            {
                // A backfill has not come further, or what was missing was fetched in part.
                continue;
            }

            if (known.ReceivedTs < lines.ResumedAt)
            {
                return false;
            }

            _hasKnown = true;
            Confirm();
            if (known.ReceivedTs < since)
            {
                return false;
            }
        }

        // What is missing was sent after that, whatever else is in the history.
        return page.End is not null && !page.IsBefore(since);
    }

    private void Confirm()
    {
        if (_pending.Count > 0)
        {
            Gap.Add(_pending);
            _pending = new();
        }
    }
}
