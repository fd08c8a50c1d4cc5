using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.Registration;

namespace LoggingService.Rooms;

/// <summary>
/// The last line of a room that tells whether it is logged (<see cref="Note.TellsIfLogged"/>); <c>null</c> if there is none.
/// </summary>
internal delegate RoomEvent? FindLastLogged(string roomId);

/// <summary>The states of the rooms since the start.</summary>
internal sealed class RoomStates
{
    private readonly AppServiceRegistration _registration;
    private readonly FindLastLogged _findLastLogged;
    private readonly ConcurrentDictionary<string, RoomState> _states = new();

    public RoomStates(AppServiceRegistration registration, RoomAliases aliases, FindLastLogged findLastLogged)
    {
        _registration = registration;
        _findLastLogged = findLastLogged;
        aliases.Confirmed += OnConfirmed;
        aliases.Removed += (_, roomId) => OnRemoved(roomId, aliases);
        aliases.Moved += (_, former, _) => OnRemoved(former, aliases);
    }

    public RoomState Get(string roomId) => _states.TryGetValue(roomId, out var state)
        ? state
        : _states.GetOrAdd(roomId, id => new(id, IsInRoomsNamespace(id), _findLastLogged(id)));

    /// <summary>Forgets a room: what its log ends with is read again.</summary>
    public void Remove(string roomId) => _states.TryRemove(roomId, out _);

    private void OnConfirmed(RoomAlias alias, string roomId)
    {
        var state = Get(roomId);
        state.HasAlias = true;
        state.LastAlias = alias;
    }

    private void OnRemoved(string roomId, RoomAliases aliases)
    {
        // Whether the room has another alias is asked again.
        var state = Get(roomId);
        if (state.HasAlias == true && aliases.GetAlias(roomId) is null)
        {
            state.HasAlias = null;
        }
    }

    /// <summary>A room for which the regex times out counts as logged.</summary>
    private bool IsInRoomsNamespace(string roomId)
    {
        try
        {
            return _registration.MatchesRoomNamespace(roomId);
        }
        catch (TimeoutException)
        {
            return true;
        }
    }
}
