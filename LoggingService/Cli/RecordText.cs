using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The text of records, from any source: the same lines as in a day's text.</summary>
internal sealed class RecordText(TextWriter output, TimeZoneInfo zone, TextWriter errors)
{
    private readonly Dictionary<(string Room, string Id), byte[]> _events = [];
    private readonly Dictionary<(string Room, string Type, string StateKey), byte[]> _state = [];
    private readonly LineBuffer _line = new();

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
            _line.Clear();
            var e = RoomEvent.FromRecord(line);
            if (e is null)
            {
                _line.Append(LogLine.NoEvent);
            }
            else
            {
                Render(e);
                Remember(e, line);
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
        var history = new RoomHistory(
            id => _events.TryGetValue((e.RoomId, id), out var line) ? RoomEvent.FromRecord(line) : null,
            (type, stateKey) => _state.TryGetValue((e.RoomId, type, stateKey), out var line) ? RoomEvent.FromRecord(line) : null);
        try
        {
            LogLine.Write(_line, e, history, zone, receivedAt: null);
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
