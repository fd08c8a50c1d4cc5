using System.Text.Json;

namespace LoggingService.RoomLogs;

/// <summary>Which lines stay in a day's record when the lines of unsynced entries, and what is torn around them, are dropped.</summary>
/// <param name="record">The path of the record.</param>
/// <param name="isUnsynced">Whether a line is that of an entry.</param>
/// <param name="dropsTornEnd">Whether complete but unreadable lines at the end are torn, too.</param>
internal sealed class DamagedLines(string record, Func<RoomEvent, bool> isUnsynced, bool dropsTornEnd)
{
    private readonly List<(long Offset, byte[] Bytes)> _undecided = [];

    /// <summary>The offsets of the lines to drop.</summary>
    public HashSet<long> Dropped { get; } = [];

    /// <summary>The dropped lines that are not events.</summary>
    public List<byte[]> Unreadable { get; } = [];

    /// <summary>How many lines stay.</summary>
    public int Kept { get; private set; }

    /// <summary>How many lines stay before the first dropped one; all if none is dropped.</summary>
    public int KeptBefore { get; private set; }

    /// <summary>A line stays behind a dropped one.</summary>
    public bool KeepsBehind { get; private set; }

    /// <summary>The last line that stays lacks its line break.</summary>
    public bool LacksLineBreak { get; private set; }

    public static DamagedLines Find(string record, Func<RoomEvent, bool> isUnsynced, bool dropsTornEnd)
    {
        var lines = new DamagedLines(record, isUnsynced, dropsTornEnd);
        foreach (var (line, e) in lines.Read())
        {
            lines.Add(line, e);
        }

        lines.End();
        return lines;
    }

    /// <summary>The lines that stay.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> KeptLines() =>
        Read().Where(item => !Dropped.Contains(item.Line.Offset)).Select(item => item.Line.Bytes);

    /// <summary>The lines of the record. An event that lost only its line break is a line of its own before that of an entry.</summary>
    private IEnumerable<(RecordReader.Line Line, RoomEvent? Event)> Read()
    {
        foreach (var line in File.Exists(record) ? RecordReader.Lines(record) : [])
        {
            var e = RoomEvent.FromRecord(line.Bytes);
            var end = e is null ? FindEndOfValue(line.Bytes) : 0;
            if (end > 0
                && RoomEvent.FromRecord(line.Bytes[..end]) is { } first
                && RoomEvent.FromRecord(line.Bytes[end..]) is { } second
                && isUnsynced(second))
            {
                yield return (line with { Bytes = line.Bytes[..end], IsFinished = false }, first);
                yield return (line with { Offset = line.Offset + end, Bytes = line.Bytes[end..] }, second);
            }
            else
            {
                yield return (line, e);
            }
        }
    }

    private static int FindEndOfValue(ReadOnlyMemory<byte> line)
    {
        var end = 0;
        RawJson.TryParse(line, SkipValue, out _, out _);
        return end;

        int SkipValue(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
        {
            reader.Skip();
            return end = (int)reader.BytesConsumed;
        }
    }

    private void Add(RecordReader.Line line, RoomEvent? e)
    {
        if (e is null)
        {
            // Torn behind a dropped line, or without an end; otherwise torn only if a dropped line follows.
            _undecided.Add((line.Offset, line.Bytes.ToArray()));
            if (!line.IsFinished || Dropped.Count > 0)
            {
                DropUndecided();
            }
        }
        else if (isUnsynced(e))
        {
            DropUndecided();
            Dropped.Add(line.Offset);
        }
        else
        {
            KeepUndecided();
            Keep();
            LacksLineBreak = !line.IsFinished;
        }
    }

    private void End()
    {
        if (dropsTornEnd)
        {
            DropUndecided();
        }
        else
        {
            KeepUndecided();
        }
    }

    private void KeepUndecided()
    {
        _undecided.ForEach(_ => Keep());
        _undecided.Clear();
    }

    private void Keep()
    {
        Kept++;
        KeepsBehind |= Dropped.Count > 0;
        KeptBefore = Dropped.Count == 0 ? Kept : KeptBefore;
    }

    private void DropUndecided()
    {
        foreach (var (offset, bytes) in _undecided)
        {
            Dropped.Add(offset);
            Unreadable.Add(bytes);
        }

        _undecided.Clear();
    }
}
