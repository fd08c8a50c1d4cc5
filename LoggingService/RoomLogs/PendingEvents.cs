namespace LoggingService.RoomLogs;

/// <summary>The events of the running append: their lines are in the record's buffer, and <see cref="KnownEvents"/> lacks them.</summary>
internal sealed class PendingEvents
{
    private readonly Dictionary<string, (RoomEvent Event, long Offset)> _events = [];
    private readonly Dictionary<(EventIdKind Kind, string Key), long> _relations = [];

    public bool Contains(string eventId) => _events.ContainsKey(eventId);

    public (RoomEvent Event, long Offset)? Find(string eventId) => _events.TryGetValue(eventId, out var found) ? found : null;

    /// <summary>The newest state event of a type and state key.</summary>
    public RoomEvent? FindState(string type, string stateKey) =>
        _events.Values.LastOrDefault(item => item.Event.StateKey == stateKey && item.Event.Type == type).Event;

    /// <summary>The offset of the newest redaction or edit with a key.</summary>
    public long? FindRelation(EventIdKind kind, string key) =>
        _relations.Count > 0 && _relations.TryGetValue((kind, key), out var offset) ? offset : null;

    public void Add(RoomEvent e, EventKeys keys, long offset)
    {
        _events.Add(e.EventId, (e, offset));
        if (keys.Target is { } target)
        {
            _relations[(keys.Relation, target)] = offset;
        }
    }

    public void Clear()
    {
        _events.Clear();
        _relations.Clear();
    }
}
