namespace LoggingService.RoomLogs;

/// <summary>The rooms' logs that are open: those that were written last, so that the number of open files is bounded. Not safe for concurrent use: the log directory's gate is around it.</summary>
/// <param name="root">The log directory.</param>
/// <param name="time">The clock, and the time zone that lines are written in.</param>
/// <param name="logger">The service's own log.</param>
internal sealed class OpenRooms(string root, TimeProvider time, ILogger logger) : IDisposable
{
    // Two files a room; the program itself has some 200 open, and half of the rest is left to connections.
    private static readonly int Most = Math.Clamp((Disk.MostOpenFiles - 300) / 4, 1, 1000);
    private readonly Dictionary<string, LinkedListNode<RoomLog>> _open = [];
    private readonly LinkedList<RoomLog> _leastRecentlyUsed = new();

    /// <summary>The log directory.</summary>
    public string Root => root;

    /// <summary>A room's log if it is open, whatever its day.</summary>
    public RoomLog? Find(string roomId) => _open.TryGetValue(roomId, out var node) ? node.Value : null;

    /// <summary>A room's log, open for a day. Others are closed for it where there are too many: those that were written longest ago.</summary>
    /// <param name="roomId">The room.</param>
    /// <param name="day">The day.</param>
    /// <param name="batch">The rooms of the batch that is in hand, which stay open.</param>
    /// <exception cref="IOException">Its files can't be opened or mended.</exception>
    public RoomLog Open(string roomId, DateOnly day, IReadOnlyDictionary<string, RoomLog> batch)
    {
        if (_open.TryGetValue(roomId, out var node))
        {
            if (node.Value.Day == day)
            {
                _leastRecentlyUsed.Remove(node);
                _leastRecentlyUsed.AddLast(node);
                node.Value.LinkLatest();
                return node.Value;
            }

            Close(node.Value);
        }

        while (_open.Count >= Most && _leastRecentlyUsed.First is { } oldest && !batch.ContainsKey(oldest.Value.RoomId))
        {
            Close(oldest.Value);
        }

        var opened = RoomLog.Open(root, roomId, day, time, logger);
        _open[roomId] = _leastRecentlyUsed.AddLast(opened);
        return opened;
    }

    /// <summary>Closes a room's log; it is opened anew when it is needed.</summary>
    public void Close(RoomLog room)
    {
        if (_open.TryGetValue(room.RoomId, out var node) && node.Value == room)
        {
            _open.Remove(room.RoomId);
            _leastRecentlyUsed.Remove(node);
        }

        room.Dispose();
    }

    /// <summary>Closes the room that a file belongs to, which is about to be replaced.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public void CloseRoomOf(string name)
    {
        if (_leastRecentlyUsed.FirstOrDefault(room => name.StartsWith(FolderName.ForRoom(room.RoomId) + "/", StringComparison.Ordinal)) is { } room)
        {
            Close(room);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var room in _leastRecentlyUsed)
        {
            room.Dispose();
        }
    }
}
