namespace LoggingService.Visibility;

/// <summary>The facts of some days of a room, by the event or the user that they are about.</summary>
internal sealed class FactsIndex
{
    private readonly Dictionary<string, StubReason> _events = [];
    private readonly Dictionary<string, List<(LogPosition Position, UserRemoval Removal)>> _users = [];
    private readonly Dictionary<string, List<MemberName>> _names = [];

    public FactsIndex(IReadOnlyCollection<DayFacts> days)
    {
        Days = days;
        foreach (var day in days.OrderBy(day => day.Day))
        {
            foreach (var removal in day.Removals)
            {
                Add(removal, new(day.Day, removal.Line));
            }

            foreach (var name in day.Names)
            {
                if (!_names.TryGetValue(name.UserId, out var names))
                {
                    _names.Add(name.UserId, names = []);
                }

                names.Add(name);
            }
        }
    }

    public IReadOnlyCollection<DayFacts> Days { get; }

    /// <summary>Why only a stub of an event is shown; <c>null</c> if nothing removed it itself.</summary>
    public StubReason? RemovalOf(string eventId) => _events.TryGetValue(eventId, out var reason) ? reason : null;

    public bool HasRemovalOf(string userId) => _users.ContainsKey(userId);

    /// <summary>Whether all events of a user were removed after one of them.</summary>
    /// <param name="sentAt">When the event was sent, if that is known.</param>
    public bool IsRemovedWithUser(string userId, LogPosition position, long? sentAt, bool isFetched) =>
        _users.TryGetValue(userId, out var removals)
        && removals.Exists(removal => removal.Removal.Removes(position < removal.Position, sentAt, isFetched));

    /// <summary>The joins of a user up to a line, newest first.</summary>
    public IEnumerable<MemberName> NamesOf(string userId, LogPosition until)
    {
        if (_names.TryGetValue(userId, out var names))
        {
            for (var i = names.Count - 1; i >= 0; i--)
            {
                if (names[i].Position <= until)
                {
                    yield return names[i];
                }
            }
        }
    }

    private void Add(Removal removal, LogPosition position)
    {
        if (!removal.Target.StartsWith('@'))
        {
            // What was left out or erased stays so, whatever was redacted later.
            if (!_events.TryAdd(removal.Target, removal.Reason) && removal.Reason != StubReason.Removed)
            {
                _events[removal.Target] = removal.Reason;
            }

            return;
        }

        if (!_users.TryGetValue(removal.Target, out var removals))
        {
            _users.Add(removal.Target, removals = []);
        }

        removals.Add((position, new(removal.SentAt, removal.IsFetched)));
    }
}
