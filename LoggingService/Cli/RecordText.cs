using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The text of records, from any source: the same lines as in a day's text.</summary>
internal sealed class RecordText(TextWriter output, TimeZoneInfo zone, TextWriter errors)
{
    private readonly Dictionary<string, EventsInMemory> _rooms = [];
    private readonly LineBuffer _line = new();

    /// <summary>Reads a record that later lines may refer to.</summary>
    public void ReadBefore(string path)
    {
        foreach (var line in Lines(path))
        {
            if (RoomEvent.FromRecord(line) is { } e)
            {
                HistoryOf(e).Add(e.Copy());
            }
        }
    }

    public void Write(string path)
    {
        foreach (var line in Lines(path))
        {
            _line.Clear();
            var e = RoomEvent.FromRecord(line);
            if (e is null)
            {
                _line.Append(LogLine.NoEvent);
            }
            else
            {
                Render(e);
                HistoryOf(e).Add(e.Copy());
            }

            output.Write(Utf8Text.Decode(_line.Written));
        }
    }

    /// <summary>A record's lines, without the byte order mark that an editor may have added. It may be a pipe.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        using var file = File.OpenRead(path);
        foreach (var line in RecordReader.Lines(file))
        {
            yield return line.Offset == 0 && line.Bytes.Span.StartsWith("\uFEFF"u8) ? line.Bytes["\uFEFF"u8.Length..] : line.Bytes;
        }
    }

    private void Render(RoomEvent e)
    {
        try
        {
            LogLine.Write(_line, e, HistoryOf(e), zone, receivedAt: null);
        }
#pragma warning disable CA1031 // Any bug in rendering.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            errors.WriteLine(
                $"Failed to render event {SafeText.EventId(Utf8Text.From(e.EventId))} in {SafeText.RoomId(Utf8Text.From(e.RoomId))}; "
                + $"its line shows the raw content. This is a bug in LoggingService, please report it: {bug}");
            _line.Clear();
            LogLine.WriteFallback(_line, e, zone, receivedAt: null);
        }
    }

    private EventsInMemory HistoryOf(RoomEvent e)
    {
        if (!_rooms.TryGetValue(e.RoomId, out var history))
        {
            history = new();
            _rooms.Add(e.RoomId, history);
        }

        return history;
    }
}
