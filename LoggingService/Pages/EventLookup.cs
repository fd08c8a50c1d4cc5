using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>Finds the events of other days to which those of a page reply. A page looks up only so many: each may read a record.</summary>
internal sealed class EventLookup(RoomVisibility room, Reader reader)
{
    private const int MaxLookups = 20;
    private const int MaxDays = 31;

    private readonly Dictionary<string, VisibleEvent?> _found = [];

    /// <summary>An event that the reader may see; <c>null</c> if there is none, or too much was looked up already.</summary>
    public VisibleEvent? Find(string eventId)
    {
        if (!_found.TryGetValue(eventId, out var found) && _found.Count < MaxLookups)
        {
            found = room.Find(reader, eventId, MaxDays);
            _found[eventId] = found;
        }

        return found;
    }
}
