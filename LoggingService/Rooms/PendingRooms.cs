using System.Collections.Concurrent;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>A room that we created for an alias that it does not have yet.</summary>
/// <param name="Reservation">Its place in the <see cref="CreationLimit"/>.</param>
internal sealed record PendingRoom(string RoomId, long Reservation);

/// <summary>The rooms that wait for their alias, because the homeserver refused it or did not respond: the next query uses them.</summary>
internal sealed class PendingRooms
{
    private readonly ConcurrentDictionary<RoomAlias, PendingRoom> _rooms = new();

    public PendingRoom? Find(RoomAlias alias) => _rooms.GetValueOrDefault(alias);

    public bool Contains(string roomId) => !_rooms.IsEmpty && _rooms.Values.Any(room => room.RoomId == roomId);

    public void Add(RoomAlias alias, PendingRoom room) => _rooms[alias] = room;

    public void Remove(RoomAlias alias) => _rooms.TryRemove(alias, out _);
}
