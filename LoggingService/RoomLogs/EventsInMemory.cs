using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>The earlier events of one room, as they were read.</summary>
internal sealed class EventsInMemory : RoomHistory
{
    private readonly Dictionary<string, (RoomEvent Event, int Index)> _events = [];
    private readonly Dictionary<(string Type, string StateKey), RoomEvent> _state = [];
    private readonly Dictionary<(string? Type, string? Sender, string Key), RoomEvent> _sticky = [];
    private readonly Dictionary<string, int> _redactions = [];
    private readonly Dictionary<string, List<RoomEvent>> _edits = [];
    private readonly Dictionary<(string? Sender, long Second), List<RoomEvent>> _seconds = [];

    public void Add(RoomEvent e)
    {
        var index = _events.Count;
        _events[e.EventId] = (e, index);
        if (e is { Type: { } type, StateKey: { } stateKey })
        {
            _state[(type, stateKey)] = e;
        }
        else if (RoomCallLine.StickyKey(e) is { } key)
        {
            _sticky[(e.Type, e.Sender, key)] = e;
        }

        if (e.OriginServerTs is { } time)
        {
            AddTo(_seconds, (e.Sender, time / 1000), e);
        }

        switch (EventKeys.Of(e))
        {
            case { Target: { } target, Relation: EventIdKind.Edit }:
                AddTo(_edits, target, e);
                break;
            case { Target: { } target }:
                _redactions[target] = index;
                break;
        }
    }

    public override RoomEvent? FindEvent(string id) => _events.TryGetValue(id, out var found) ? found.Event : null;

    public override RoomEvent? FindState(string type, string stateKey) => _state.GetValueOrDefault((type, stateKey));

    public override RoomEvent? FindSticky(RoomEvent sticky, string key) => _sticky.GetValueOrDefault((sticky.Type, sticky.Sender, key));

    public override bool IsRemoved(string id) => _redactions.ContainsKey(id);

    public override bool IsRemoved(RoomEvent earlier) =>
        IsRemoved(earlier.EventId)
        || (earlier.Sender is { } sender
            && _redactions.TryGetValue(sender, out var all)
            && _events.TryGetValue(earlier.EventId, out var place)
            && place.Index < all);

    public override IEnumerable<RoomEvent> Edits(RoomEvent earlier) =>
        _edits.TryGetValue(EventKeys.EditKey(earlier.EventId, earlier.Sender), out var edits) ? Enumerable.Reverse(edits) : [];

    public override bool HasInSameSecond(RoomEvent earlier, Predicate<RoomEvent> isAlike) =>
        earlier.OriginServerTs is { } time
        && _seconds.TryGetValue((earlier.Sender, time / 1000), out var others)
        && others.Exists(other => other.EventId != earlier.EventId && isAlike(other));

    private static void AddTo<TKey>(Dictionary<TKey, List<RoomEvent>> lists, TKey key, RoomEvent e) where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
        {
            list = [];
            lists.Add(key, list);
        }

        list.Add(e);
    }
}
