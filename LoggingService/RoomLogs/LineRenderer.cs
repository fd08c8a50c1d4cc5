using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>Renders the lines of a day's text, with the room's earlier events to refer to.</summary>
internal sealed partial class LineRenderer
{
    private readonly RoomFolder _folder;
    private readonly AppendFile _record;
    private readonly KnownEvents _known;
    private readonly Dictionary<string, RoomEvent> _pending;
    private readonly RoomHistory _history;
    private long _offset;

    /// <param name="pending">Events whose lines are not in the record yet.</param>
    public LineRenderer(RoomFolder folder, AppendFile record, KnownEvents known, Dictionary<string, RoomEvent> pending)
    {
        _folder = folder;
        _record = record;
        _known = known;
        _pending = pending;
        _history = new(Find, FindState);
    }

    /// <summary>Appends an event's line. A bug in rendering must not lose the event: it falls back to the generic line.</summary>
    /// <param name="offset">Where the event's line starts in the record: the line refers only to earlier ones.</param>
    /// <param name="receivedAt"><c>null</c> for an event from a record, which contains it.</param>
    public void Render(LineBuffer output, RoomEvent e, long offset, DateTimeOffset? receivedAt, TimeZoneInfo? zone = null)
    {
        _offset = offset;
        var start = output.Length;
        try
        {
            LogLine.Write(output, e, _history, zone ?? _folder.Zone, receivedAt);
        }
#pragma warning disable CA1031 // Any bug in rendering.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Log.RenderFailed(_folder.Logger, bug, e.EventId, e.RoomId);
            output.Truncate(start);
            LogLine.WriteFallback(output, e, zone ?? _folder.Zone, receivedAt);
        }
    }

    /// <summary>Appends the line of a record's line, which need not be an event.</summary>
    public void Render(LineBuffer output, RecordReader.Line line, TimeZoneInfo? zone = null)
    {
        if (RoomEvent.FromRecord(line.Bytes) is { } e)
        {
            Render(output, e, line.Offset, receivedAt: null, zone);
        }
        else
        {
            output.Append(LogLine.NoEvent);
        }
    }

    private RoomEvent? Find(string eventId)
    {
        if (_pending.TryGetValue(eventId, out var pending))
        {
            return pending;
        }

        if (_known.Find(eventId) is not { } found)
        {
            return null;
        }

        if (found.Day == _known.Day)
        {
            return EventAt(_record, found.Offset, eventId);
        }

        using var earlier = OpenRecord(found.Day);
        return earlier is null ? null : RecordReader.EventAt(ReaderOf(earlier), found.Offset);
    }

    private RoomEvent? EventAt(AppendFile record, long offset, string eventId)
    {
        var e = offset < _offset ? RecordReader.EventAt(record.ReadAt, offset) : null;
        return e?.EventId == eventId ? e : null;
    }

    private RoomEvent? FindState(string type, string stateKey)
    {
        if (RecordReader.NewestState(_record.ReadAt, _offset, type, stateKey) is { } newest)
        {
            return newest;
        }

        using var dayBefore = RoomFolder.NewestDayBefore(_folder.Path, _known.Day) is { } day ? OpenRecord(day) : null;
        return dayBefore is null ? null : RecordReader.NewestState(ReaderOf(dayBefore), dayBefore.Length, type, stateKey);
    }

    private FileStream? OpenRecord(DateOnly day)
    {
        var path = _folder.Record(day);
        return File.Exists(path) ? Posix.OpenRead(path) : null;
    }

    private static RecordReader.ReadAt ReaderOf(FileStream file) =>
        (offset, output) => RandomAccess.Read(file.SafeFileHandle, output, offset);

    private static partial class Log
    {
        [LoggerMessage(EventIds.RenderFailed, LogLevel.Error,
            "Failed to render event {EventId} of {RoomId}; its line shows the raw content. "
            + "This is a bug in LoggingService, please report it.")]
        public static partial void RenderFailed(ILogger logger, Exception exception, string eventId, string roomId);
    }
}
