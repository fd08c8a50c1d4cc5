using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>The readers of a room's newest day. One task follows the record for all of them.</summary>
internal sealed class LiveRoom(VisibleRooms rooms, Reader reader, string roomId, DateOnly day, LiveRendering rendering, PageLinks links)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly LiveWindow _window = new(reader, day, rendering);
    private volatile LiveFrame _newest = new(default, 0);

    /// <summary>Its day is over, or the room is not shown any more.</summary>
    public bool HasEnded => _newest.IsLast;

    /// <summary>The number of the last frame.</summary>
    public long Newest => _newest.Number;

    /// <summary>How many are connected.</summary>
    public int Readers { get; set; }

    /// <summary>Sends what changed.</summary>
    /// <param name="isHeartbeat">Sends something else if nothing did: proxies close idle connections.</param>
    /// <exception cref="IOException">A record can't be read: the next call tries again.</exception>
    public async Task UpdateAsync(bool isHeartbeat)
    {
        await _turn.WaitAsync();
        try
        {
            await AdvanceAsync();
            if (isHeartbeat && !HasEnded)
            {
                Append(LiveFrame.Comment);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// What a reader lacks, and the frame after which the stream goes on; <c>null</c> if another day has begun, which the reader reads.
    /// </summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public async Task<(List<byte[]> Missed, LiveFrame After)?> JoinAsync(LivePosition from)
    {
        RoomVisibility now;
        await _turn.WaitAsync();
        try
        {
            if (await AdvanceAsync() is not { } room)
            {
                return ([LiveFrame.Gone], _newest);
            }

            if (HasEnded && from.Day == room.Days[^1])
            {
                return null;
            }

            if (from.Day == day && !HasEnded)
            {
                return (Frames(_window.CatchUp(from), _window.Position), _newest);
            }

            now = room;
        }
        finally
        {
            _turn.Release();
        }

        // It may read a whole day, which must not delay the others.
        return (await EndOfAsync(now, from), new LiveFrame(default, 0, isLast: true));
    }

    /// <summary>Returns the room as it is now; <c>null</c> if it is not shown any more.</summary>
    private async Task<RoomVisibility?> AdvanceAsync()
    {
        var room = rooms.Find(reader, roomId) is { Days.Count: > 0 } found ? found : null;
        if (HasEnded)
        {
            return room;
        }

        if (room is null)
        {
            Append(LiveFrame.Gone, isLast: true);
            return null;
        }

        foreach (var frame in Frames(await _window.AdvanceAsync(room), _window.Position))
        {
            Append(frame);
        }

        if (room.Days[^1] != day)
        {
            Append(NextDay(room), isLast: true);
        }

        return room;
    }

    /// <summary>
    /// The rest of the day before the newest one, for a reader who was not connected when that began, and the way to it. Of earlier days
    /// there is no rest: their pages are no longer live.
    /// </summary>
    private async Task<List<byte[]>> EndOfAsync(RoomVisibility room, LivePosition from)
    {
        var frames = new List<byte[]>();
        if (room.Days is [.., var previous, _] && previous == from.Day)
        {
            var window = new LiveWindow(reader, from.Day, rendering);
            await window.AdvanceAsync(room);
            frames.AddRange(Frames(window.CatchUp(from), window.Position));
        }

        frames.Add(NextDay(room));
        return frames;
    }

    private byte[] NextDay(RoomVisibility room) => LiveFrame.Create("day", null, links.Day(room, room.Days[^1]));

    private void Append(byte[] bytes, bool isLast = false) => _newest = _newest.Append(bytes, isLast);

    /// <summary>Only the last one has the position: after a broken connection all of them are sent again, which changes nothing.</summary>
    private static List<byte[]> Frames(List<LiveLine>? lines, LivePosition position) => lines is null
        ? [LiveFrame.Create("reload", position, "")]
        :
        [
            .. lines.Select((line, i) =>
                LiveFrame.Create(line.IsNew ? "line" : "change", i == lines.Count - 1 ? position : null, line.Html)),
        ];
}
