using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>The room logs in memory: the most recently written with open files, others only with event ids (50 bytes each).</summary>
internal sealed class OpenRooms(string root, TimeProvider time, ILogger logger, int? mostOpen = null, int mostResting = 10_000_000)
    : IDisposable
{
    private readonly int _mostOpen = mostOpen ?? OpenFileLimit.ForRooms;
    private readonly Dictionary<string, LinkedListNode<RoomLog>> _rooms = [];
    private readonly LinkedList<RoomLog> _open = new();
    private readonly LinkedList<RoomLog> _resting = new();
    private int _idsResting;

    public string Root => root;

    public RoomLog? Find(string roomId) => _rooms.TryGetValue(roomId, out var node) ? node.Value : null;

    /// <summary>Opens a room's log for a day, and evicts the least recently written ones, but none of the current batch.</summary>
    /// <exception cref="IOException">Its files can't be opened or repaired.</exception>
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

    public void Close(RoomLog room)
    {
        if (_rooms.TryGetValue(room.RoomId, out var node) && node.Value == room)
        {
            _rooms.Remove(room.RoomId);
            Unlink(node);
        }

        room.Dispose();
    }

    /// <summary>Closes the room of a file that is about to be replaced.</summary>
    public void CloseRoomOf(string name)
    {
        var folder = Path.GetDirectoryName(name);
        if (_open.Concat(_resting).FirstOrDefault(room => FolderName.ForRoom(room.RoomId) == folder) is { } room)
        {
            Close(room);
        }
    }

    public void Dispose()
    {
        foreach (var node in _rooms.Values)
        {
            node.Value.Dispose();
        }
    }

    /// <summary>Closes the files of the least recently written rooms, and removes resting rooms of another day or over the limit.</summary>
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
