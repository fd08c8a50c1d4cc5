using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>
/// Finds the events of other days to which those of a page reply, on the days before. A page looks up only so many: each day on which
/// some may be is read.
/// </summary>
/// <param name="until">The day of the page; <c>null</c> for the newest.</param>
internal sealed class EventLookup(RoomVisibility room, Reader reader, DateOnly? until = null)
{
    /// <summary>Days with events.</summary>
    private const int MaxDays = 31;

    /// <summary>More than a page has lines.</summary>
    private const int MaxLoaded = 500;

    /// <summary>Of events that were not loaded: those that are edited.</summary>
    private const int MaxLookups = 20;

    private readonly Dictionary<string, VisibleEvent?> _found = [];
    private int _lookups;

    /// <summary>Looks up events, so that each record is read once for all of them.</summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public void Load(IEnumerable<string> eventIds)
    {
        var missing = eventIds.Where(id => !_found.ContainsKey(id)).Distinct().Take(MaxLoaded).ToList();
        missing.ForEach(id => _found[id] = null);
        foreach (var day in room.Days.Reverse().SkipWhile(day => day > until).Take(MaxDays).TakeWhile(_ => missing.Count > 0))
        {
            foreach (var e in Read(day, room.FindIn(day, missing)))
            {
                _found[e.Event.EventId] = e;
            }

            missing.RemoveAll(id => _found[id] is not null);
        }
    }

    /// <summary>An event that the reader may see; <c>null</c> if there is none, or too much was looked up already.</summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public VisibleEvent? Find(string eventId)
    {
        if (!_found.ContainsKey(eventId) && _lookups < MaxLookups)
        {
            _lookups++;
            Load([eventId]);
        }

        return _found.GetValueOrDefault(eventId);
    }

    private IEnumerable<VisibleEvent> Read(DateOnly day, IReadOnlyList<string> eventIds)
    {
        if (eventIds.Count == 0 || !room.MayRead(reader) || room.FactsOf(day) is not { } facts)
        {
            return [];
        }

        var ids = eventIds.ToHashSet();
        return RecordLines.Read(room.RecordOf(day), facts, 0, 0, eventIds)
            .Where(line => ids.Contains(line.Event.EventId))
            .Select(line => room.Show(reader, line.Event, line.Position))
            .OfType<VisibleEvent>();
    }
}
