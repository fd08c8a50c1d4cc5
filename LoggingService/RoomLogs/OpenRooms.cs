using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// The rooms' logs that are in memory. Those that were written last have their files open, so that the number of open
/// files is bounded; the others rest: their ids stay, so that a room that is written again need not be read again. Not safe
/// for concurrent use: the log directory's gate is around it.
/// </summary>
/// <param name="root">The log directory.</param>
/// <param name="time">The clock, and the time zone that lines are written in.</param>
/// <param name="logger">The service's own log.</param>
/// <param name="mostOpen">How many rooms may have their files open; as many as the system allows, unless a test says.</param>
/// <param name="mostResting">What the rooms that rest may hold together, in ids of some 50 bytes.</param>
internal sealed class OpenRooms(string root, TimeProvider time, ILogger logger, int? mostOpen = null, int mostResting = 10_000_000) : IDisposable
{
    private readonly int _mostOpen = mostOpen ?? OpenFileLimit.ForRooms;
    private readonly Dictionary<string, LinkedListNode<RoomLog>> _rooms = [];
    private readonly LinkedList<RoomLog> _open = new();
    private readonly LinkedList<RoomLog> _resting = new();
    private int _idsResting;

    /// <summary>The log directory.</summary>
    public string Root => root;

    /// <summary>A room's log if it is in memory, whatever its day.</summary>
    public RoomLog? Find(string roomId) => _rooms.TryGetValue(roomId, out var node) ? node.Value : null;

    /// <summary>A room's log, open for a day. Others make way for it where there are too many: those that were written longest ago.</summary>
    /// <param name="roomId">The room.</param>
    /// <param name="day">The day.</param>
    /// <param name="batch">The rooms of the batch that is in hand, which stay open.</param>
    /// <exception cref="IOException">Its files can't be opened or mended.</exception>
    public RoomLog Open(string roomId, DateOnly day, IReadOnlyDictionary<string, RoomLog> batch)
    {
        if (_rooms.TryGetValue(roomId, out var node))
        {
            if (node.Value.Day == day)
            {
                if (node.List == _resting)
                {
                    node.Value.Wake();
                    Unlink(node);
                    MakeWay(day, batch);
                }
                else
                {
                    Unlink(node);
                }

                _open.AddLast(node);
                node.Value.LinkLatest();
                return node.Value;
            }

            Close(node.Value);
        }

        MakeWay(day, batch);
        var opened = RoomLog.Open(root, roomId, day, time, logger);
        _rooms[roomId] = _open.AddLast(opened);
        return opened;
    }

    /// <summary>Closes a room's log for good; it is opened anew when it is needed.</summary>
    public void Close(RoomLog room)
    {
        if (_rooms.TryGetValue(room.RoomId, out var node) && node.Value == room)
        {
            _rooms.Remove(room.RoomId);
            Unlink(node);
        }

        room.Dispose();
    }

    /// <summary>Closes the room that a file belongs to, which is about to be replaced.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public void CloseRoomOf(string name)
    {
        if (_open.Concat(_resting).FirstOrDefault(room => name.StartsWith(FolderName.ForRoom(room.RoomId) + "/", StringComparison.Ordinal)) is { } room)
        {
            Close(room);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var node in _rooms.Values)
        {
            node.Value.Dispose();
        }
    }

    /// <summary>Puts those that were written longest ago to rest, down to the bound; none of a batch that is in hand. Of those that rest, the ones beyond what may rest are closed, and those of another day, whose ids nobody needs.</summary>
    private void MakeWay(DateOnly day, IReadOnlyDictionary<string, RoomLog> batch)
    {
        while (_open.Count >= _mostOpen && _open.First is { } oldest && !batch.ContainsKey(oldest.Value.RoomId))
        {
            Unlink(oldest);
            oldest.Value.Rest();
            _resting.AddLast(oldest);
            _idsResting += oldest.Value.Ids;
        }

        while (_resting.First is { } oldest && (_idsResting > mostResting || oldest.Value.Day != day))
        {
            Close(oldest.Value);
        }
    }

    private void Unlink(LinkedListNode<RoomLog> node)
    {
        _idsResting -= node.List == _resting ? node.Value.Ids : 0;
        node.List!.Remove(node);
    }
}
