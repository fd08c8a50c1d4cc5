namespace LoggingService.Visibility;

/// <summary>The facts of some days of a room, by the event or the user that they are about.</summary>
internal sealed class FactsIndex
{
    private readonly DayFacts[] _days;
    private readonly Dictionary<IdHash, StubReason> _events;
    private readonly Dictionary<IdHash, List<(LogPosition Position, UserRemoval Removal)>> _users = [];

    /// <summary>The names of all days, by their users, and in the order of the record.</summary>
    private readonly NamePlace[] _names;

    public FactsIndex(IEnumerable<DayFacts> days)
    {
        _days = [.. days.OrderBy(day => day.Day)];
        _events = new(_days.Sum(day => day.Removals.Length));
        _names = new NamePlace[_days.Sum(day => day.Names.Length)];
        var names = 0;
        for (var i = 0; i < _days.Length; i++)
        {
            var day = _days[i];
            Add(day.Removals);
            foreach (var removal in day.RemovalsOfUsers)
            {
                Add(removal, new(day.Day, removal.Line));
            }

            for (var j = 0; j < day.Names.Length; j++)
            {
                _names[names++] = new(i, j);
            }
        }

        Array.Sort(_names, Compare);
        _events.TrimExcess();
    }

    public IReadOnlyCollection<DayFacts> Days => _days;

    /// <summary>Why only a stub of an event is shown; <c>null</c> if nothing removed it itself.</summary>
    public StubReason? RemovalOf(IdHash e) => _events.TryGetValue(e, out var reason) ? reason : null;

    public bool HasRemovalOf(IdHash user) => _users.ContainsKey(user);

    /// <summary>Whether all events of a user were removed after one of them.</summary>
    /// <param name="sentAt">When the event was sent, if that is known.</param>
    public bool IsRemovedWithUser(IdHash user, LogPosition position, long? sentAt, bool isFetched) =>
        _users.TryGetValue(user, out var removals)
        && removals.Exists(removal => removal.Removal.Removes(position < removal.Position, sentAt, isFetched));

    /// <summary>The joins of a user up to a line, newest first.</summary>
    public IEnumerable<(MemberName Name, LogPosition Position)> NamesOf(IdHash user, LogPosition until)
    {
        var (low, high) = (0, _names.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var name = At(_names[middle]);
            if (name.User.CompareTo(user) is var order && (order < 0 || (order == 0 && PositionOf(_names[middle]) <= until)))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        for (var i = low - 1; i >= 0 && At(_names[i]).User == user; i--)
        {
            yield return (At(_names[i]), PositionOf(_names[i]));
        }
    }

    private MemberName At(NamePlace place) => _days[place.Day].Names[place.Index];

    private LogPosition PositionOf(NamePlace place) => new(_days[place.Day].Day, At(place).Line);

    private int Compare(NamePlace one, NamePlace other) => At(one).User.CompareTo(At(other).User) is var order and not 0
        ? order
        : one.CompareTo(other);

    private void Add(IEnumerable<Removal> removals)
    {
        foreach (var removal in removals)
        {
            // What was left out or erased stays so, whatever was redacted later.
            if (!_events.TryAdd(removal.Target, removal.Reason) && removal.Reason != StubReason.Removed)
            {
                _events[removal.Target] = removal.Reason;
            }
        }
    }

    private void Add(RemovalOfUser removal, LogPosition position)
    {
        if (!_users.TryGetValue(removal.User, out var removals))
        {
            _users.Add(removal.User, removals = []);
        }

        removals.Add((position, removal.Removal));
    }

    /// <summary>A name, by the day in the index and its place in the day.</summary>
    private readonly record struct NamePlace(int Day, int Index) : IComparable<NamePlace>
    {
        public int CompareTo(NamePlace other) => Day == other.Day ? Index.CompareTo(other.Index) : Day.CompareTo(other.Day);
    }
}
