using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>Renders the lines of a day's text, with the room's earlier events to refer to.</summary>
internal sealed partial class LineRenderer
{
    private readonly RoomFolder _folder;
    private readonly RecordHistory _history;

    /// <param name="record">The open record of the day.</param>
    /// <param name="pending">As for <see cref="RecordHistory"/>.</param>
    public LineRenderer(RoomFolder folder, RecordReader.ReadAt record, KnownEvents known, PendingEvents? pending)
    {
        _folder = folder;
        _history = new(folder, record, known, pending);
    }

    /// <summary>Appends an event's line. A bug in rendering must not lose the event: it falls back to the generic line.</summary>
    /// <param name="offset">Where the event's line starts in the record: the line refers only to earlier ones.</param>
    public void Render(LineBuffer output, RoomEvent e, long offset, TimeZoneInfo? zone = null)
    {
        _history.MoveTo(offset);
        var start = output.Length;
        try
        {
            LogLine.Write(output, e, _history, zone ?? _folder.Zone);
        }
#pragma warning disable CA1031 // Any bug in rendering.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Log.RenderFailed(_folder.Logger, bug, e.EventId, e.RoomId);
            output.Truncate(start);
            LogLine.WriteFallback(output, e, zone ?? _folder.Zone);
        }
    }

    /// <summary>Appends the line of a record's line, which need not be an event.</summary>
    public void Render(LineBuffer output, RecordReader.Line line, TimeZoneInfo? zone = null)
    {
        if (RoomEvent.FromRecord(line.Bytes) is { } e)
        {
            Render(output, e, line.Offset, zone);
        }
        else
        {
            output.Append(LogLine.NoEvent);
        }
    }

    /// <summary>The zone that a line was rendered in, which may be another than today's; <c>null</c> if it has no time.</summary>
    public static TimeZoneInfo? ZoneOf(ReadOnlySpan<byte> line) => Timestamp.Parse(line) is { } time
        ? TimeZoneInfo.CreateCustomTimeZone("line", time.Offset, "line", "line")
        : null;

    private static partial class Log
    {
        [LoggerMessage(EventIds.RenderFailed, LogLevel.Error,
            "Failed to render event {EventId} of {RoomId}; its line shows the raw content. "
            + "This is a bug in LoggingService, please report it.")]
        public static partial void RenderFailed(ILogger logger, Exception exception, string eventId, string roomId);
    }
}
