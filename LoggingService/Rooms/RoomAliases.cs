using System.Collections.Concurrent;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>The aliases of rooms that our homeserver has confirmed.</summary>
internal sealed class RoomAliases
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RoomAlias, string> _rooms = [];

    /// <summary>Aliases that are not removed, because they are being moved, with the number of moves.</summary>
    private readonly Dictionary<RoomAlias, int> _kept = [];

    /// <summary>The alias of each room that messages name it by.</summary>
    private readonly ConcurrentDictionary<string, RoomAlias> _aliases = new();

    /// <summary>Raised with the room id when the homeserver confirmed an alias or we created it, also when it was known.</summary>
    public event Action<RoomAlias, string>? Confirmed;

    /// <summary>Raised for an alias that does not exist any more, with its room.</summary>
    public event Action<RoomAlias, string>? Removed;

    /// <summary>Raised for an alias that is another room's now, with the former room and that; <see cref="Confirmed"/> follows.</summary>
    public event Action<RoomAlias, string, string>? Moved;

    /// <summary>How many aliases are known.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _rooms.Count;
            }
        }
    }

    public bool IsKnown(RoomAlias alias)
    {
        lock (_lock)
        {
            return _rooms.ContainsKey(alias);
        }
    }

    public RoomAlias? GetAlias(string roomId) => _aliases.TryGetValue(roomId, out var alias) ? alias : null;

    /// <summary>Records an alias that the homeserver confirmed, or that we created.</summary>
    public void Confirm(RoomAlias alias, string roomId)
    {
        string? former;
        lock (_lock)
        {
            _rooms.TryGetValue(alias, out former);
            _rooms[alias] = roomId;
            _aliases[roomId] = alias;
            if (former is not null && former != roomId)
            {
                SetName(former);
            }
        }

        if (former is not null && former != roomId)
        {
            Moved?.Invoke(alias, former, roomId);
        }

        Confirmed?.Invoke(alias, roomId);
    }

    /// <summary>Records an alias that the homeserver confirmed to an earlier process, unless more is known by now.</summary>
    public void AddKnown(RoomAlias alias, string roomId)
    {
        lock (_lock)
        {
            if (_rooms.TryAdd(alias, roomId))
            {
                _aliases.TryAdd(roomId, alias);
            }
        }
    }

    /// <summary>Ignores, until <see cref="Release"/>, that aliases do not exist.</summary>
    public void Keep(IEnumerable<RoomAlias> aliases)
    {
        lock (_lock)
        {
            foreach (var alias in aliases)
            {
                _kept[alias] = _kept.GetValueOrDefault(alias) + 1;
            }
        }
    }

    public void Release(IEnumerable<RoomAlias> aliases)
    {
        lock (_lock)
        {
            foreach (var alias in aliases)
            {
                if (--_kept[alias] == 0)
                {
                    _kept.Remove(alias);
                }
            }
        }
    }

    /// <summary>Records that an alias does not exist any more; false if it was not known as the room's.</summary>
    public bool Remove(RoomAlias alias, string roomId)
    {
        lock (_lock)
        {
            if (_rooms.GetValueOrDefault(alias) != roomId || _kept.ContainsKey(alias))
            {
                return false;
            }

            _rooms.Remove(alias);
            SetName(roomId);
        }

        Removed?.Invoke(alias, roomId);
        return true;
    }

    /// <summary>Names a room by one of its aliases, after another was removed.</summary>
    private void SetName(string roomId)
    {
        if (_aliases.TryGetValue(roomId, out var name) && _rooms.GetValueOrDefault(name) == roomId)
        {
            return;
        }

        _aliases.TryRemove(roomId, out _);
        foreach (var alias in GetAll(roomId).Take(1))
        {
            _aliases[roomId] = alias;
        }
    }

    /// <summary>The known aliases of a room.</summary>
    public IReadOnlyList<RoomAlias> GetAll(string roomId)
    {
        lock (_lock)
        {
            return [.. _rooms.Where(known => known.Value == roomId).Select(known => known.Key)];
        }
    }
}
