using LoggingService.Events;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>The text of a record, whoever wrote the record: the same lines as in a day's text.</summary>
/// <param name="output">Where the lines go.</param>
/// <param name="zone">The zone of their times.</param>
/// <param name="mistakes">Where it says that a line could not be put into words.</param>
internal sealed class RecordText(TextWriter output, TimeZoneInfo zone, TextWriter mistakes)
{
    /// <summary>What stands for a line of a record that is no event: line n of one is line n of the other.</summary>
    public const string NoEvent = "*** (a line of the record that is no event)";

    private readonly Dictionary<(string Room, string Id), byte[]> _events = [];
    private readonly Dictionary<(string Room, string Type, string StateKey), byte[]> _state = [];

    /// <summary>Reads a record to which later lines may refer.</summary>
    /// <param name="path">The file.</param>
    public void ReadBefore(string path)
    {
        foreach (var line in Lines(path))
        {
            if (RoomEvent.FromRecord(line) is { } e)
            {
                Remember(e, line.ToArray());
            }
        }
    }

    /// <summary>Writes a record's text.</summary>
    /// <param name="path">The file.</param>
    public void Write(string path)
    {
        foreach (var line in Lines(path))
        {
            if (RoomEvent.FromRecord(line) is { } e)
            {
                DayText.Write(output, LogLine.Time(e, receivedAt: null, zone), Render(e));
                Remember(e, line.ToArray());
            }
            else
            {
                DayText.Write(output, DateTimeOffset.UnixEpoch, NoEvent);
            }
        }
    }

    /// <summary>A record's lines, without the byte order mark that an editor may have put before the first.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path) =>
        RecordReader.Lines(path).Select(static line => line.Offset == 0 && line.Bytes.Span.StartsWith("\uFEFF"u8) ? line.Bytes["\uFEFF"u8.Length..] : line.Bytes);

    private string Render(RoomEvent e)
    {
        var before = new RoomHistory(
            id => _events.TryGetValue((e.RoomId, id), out var line) ? RoomEvent.FromRecord(line) : null,
            (type, stateKey) => _state.TryGetValue((e.RoomId, type, stateKey), out var line) ? RoomEvent.FromRecord(line) : null);
        try
        {
            return LogLine.Render(e, before, zone, receivedAt: null);
        }
#pragma warning disable CA1031 // A mistake of ours in a line costs the line its beauty, as in a room's log.
        catch (Exception mistake)
#pragma warning restore CA1031
        {
            mistakes.WriteLine($"The line of event {SafeText.EventId(e.EventId)} in {SafeText.RoomId(e.RoomId)} could not be put into words and shows its content instead. This is a bug in LoggingService, please report it: {mistake}");
            return LogLine.General(e);
        }
    }

    private void Remember(RoomEvent e, byte[] line)
    {
        _events[(e.RoomId, e.EventId)] = line;
        if (e is { Type: { } type, StateKey: { } stateKey })
        {
            _state[(e.RoomId, type, stateKey)] = line;
        }
    }
}
