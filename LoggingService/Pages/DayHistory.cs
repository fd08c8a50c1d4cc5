using LoggingService.Rendering;
using LoggingService.RoomLogs;
using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>What the sentences of a page may refer to: the visible events of the day before each.</summary>
internal sealed class DayHistory(RoomVisibility room) : RoomHistory
{
    private readonly EventsInMemory _events = new();
    private readonly HashSet<string> _stubs = [];

    public void Add(VisibleEvent e)
    {
        _events.Add(e.Event);
        if (e.Stub is not null)
        {
            _stubs.Add(e.Event.EventId);
        }
    }

    public override RoomEvent? FindEvent(string id) => _events.FindEvent(id);

    public override RoomEvent? FindState(string type, string stateKey) =>
        _events.FindState(type, stateKey) is { } state && !IsRemoved(state) ? state : null;

    public override RoomEvent? FindSticky(RoomEvent sticky, string key) => _events.FindSticky(sticky, key);

    public override bool IsRemoved(string id) => room.RemovalOf(id) is not null || _stubs.Contains(id);

    public override bool IsRemoved(RoomEvent earlier) => IsRemoved(earlier.EventId) || _events.IsRemoved(earlier);

    public override IEnumerable<RoomEvent> Edits(RoomEvent earlier) => _events.Edits(earlier).Where(edit => !IsRemoved(edit.EventId));

    public override bool HasInSameSecond(RoomEvent earlier, Predicate<RoomEvent> matches) => _events.HasInSameSecond(earlier, matches);
}
