using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>The text of records, from any source: the same lines as in a day's text.</summary>
internal sealed class RecordText(TextWriter output, TimeZoneInfo zone, TextWriter errors)
{
    private const string NoEvent = "*** (a line of the record that is no event)";

    private readonly Dictionary<(string Room, string Id), byte[]> _events = [];
    private readonly Dictionary<(string Room, string Type, string StateKey), byte[]> _state = [];

    /// <summary>The line of a recorded event; <c>null</c> is a line of the record that is not an event.</summary>
    public static (DateTimeOffset Time, string Text) ToLine(RoomEvent? e, TimeZoneInfo zone, Func<RoomEvent, string> render) =>
        e is null ? (DateTimeOffset.UnixEpoch, NoEvent) : (LogLine.Time(e, receivedAt: null, zone), render(e));

    /// <summary>Renders an event, or reports the error and falls back to the generic line: a bug must not lose the event.</summary>
    public static string Render(RoomEvent e, RoomHistory history, TimeZoneInfo zone, DateTimeOffset? receivedAt, Action<Exception> report)
    {
        var line = new LineBuffer();
        try
        {
            LogLine.Write(line, e, history, zone, receivedAt);
        }
#pragma warning disable CA1031 // Any bug in rendering.
        catch (Exception error)
#pragma warning restore CA1031
        {
            report(error);
            line.Clear();
            LogLine.WriteFallback(line, e, zone, receivedAt);
        }

        // Without the timestamp and the line break, which DayText formats.
        return Utf8Text.Decode(line.Written[Timestamp.Length..^1]);
    }

    /// <summary>Reads a record that later lines may refer to.</summary>
    public void ReadBefore(string path)
    {
        foreach (var line in Lines(path))
        {
            Remember(RoomEvent.FromRecord(line), line);
        }
    }

    public void Write(string path)
    {
        foreach (var line in Lines(path))
        {
            var e = RoomEvent.FromRecord(line);
            var (time, text) = ToLine(e, zone, Render);
            DayText.Write(output, time, text);
            Remember(e, line);
        }
    }

    /// <summary>A record's lines, without the byte order mark that an editor may have added.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path) => RecordReader.Lines(path).Select(static line =>
        line.Offset == 0 && line.Bytes.Span.StartsWith("\uFEFF"u8) ? line.Bytes["\uFEFF"u8.Length..] : line.Bytes);

    private string Render(RoomEvent e)
    {
        var history = new RoomHistory(
            id => _events.TryGetValue((e.RoomId, id), out var line) ? RoomEvent.FromRecord(line) : null,
            (type, stateKey) => _state.TryGetValue((e.RoomId, type, stateKey), out var line) ? RoomEvent.FromRecord(line) : null);
        return Render(e, history, zone, receivedAt: null, error => errors.WriteLine(
            $"Failed to render event {SafeText.EventId(Utf8Text.From(e.EventId))} in {SafeText.RoomId(Utf8Text.From(e.RoomId))}; its line shows the raw content. "
            + $"This is a bug in LoggingService, please report it: {error}"));
    }

    private void Remember(RoomEvent? e, ReadOnlyMemory<byte> line)
    {
        if (e is null)
        {
            return;
        }

        var copy = line.ToArray();
        _events[(e.RoomId, e.EventId)] = copy;
        if (e is { Type: { } type, StateKey: { } stateKey })
        {
            _state[(e.RoomId, type, stateKey)] = copy;
        }
    }
}
