using LoggingService.RoomLogs;

namespace LoggingService.History;

/// <summary>Events of a room that are not in its log, although events before them are.</summary>
internal sealed class Gap
{
    private readonly HashSet<ulong> _events = [];

    public int Count => _events.Count;

    /// <summary>When the first of them was sent, in milliseconds since 1970.</summary>
    public long From { get; private set; } = long.MaxValue;

    /// <summary>When the last of them was sent.</summary>
    public long To { get; private set; } = long.MinValue;

    /// <summary>The one that was added last.</summary>
    public RoomEvent? Oldest { get; private set; }

    /// <summary>The page of <see cref="Oldest"/>.</summary>
    public HistoryPage? OldestPage { get; private set; }

    public void Add(RoomEvent e, HistoryPage page)
    {
        _events.Add(RoomRepair.Hash(e.EventId));
        var time = e.OriginServerTs ?? 0;
        From = Math.Min(From, time);
        To = Math.Max(To, time);
        Oldest = e;
        OldestPage = page;
    }

    /// <summary>Adds an older gap.</summary>
    public void Add(Gap older)
    {
        _events.UnionWith(older._events);
        From = Math.Min(From, older.From);
        To = Math.Max(To, older.To);
        Oldest = older.Oldest;
        OldestPage = older.OldestPage;
    }

    /// <summary>Removes an event; false if it is not one of them.</summary>
    public bool Remove(RoomEvent e) => _events.Remove(RoomRepair.Hash(e.EventId));
}
