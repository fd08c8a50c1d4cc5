namespace LoggingService.RoomLogs;

/// <summary>
/// The newest redactions and edits within a part of a record that <see cref="KnownEvents"/> doesn't answer for: the lines of the running
/// append, or the lines before one that is rendered again. Read when they are asked for, each line once.
/// </summary>
/// <param name="record">The open record, with its pending lines.</param>
internal sealed class PendingRelations(RecordReader.ReadAt record)
{
    private readonly Dictionary<(EventIdKind Kind, string Key), long> _newest = [];
    private long _position;

    /// <summary>Forgets all, and begins at an offset.</summary>
    public void Restart(long offset)
    {
        _position = offset;
        if (_newest.Count > 0)
        {
            _newest.Clear();
        }
    }

    /// <summary>The offset of the newest line with a key between where it began and another line, at which it may not go back.</summary>
    public long? Find(EventIdKind kind, string key, long before)
    {
        Read(before);
        return _newest.TryGetValue((kind, key), out var offset) ? offset : null;
    }

    private void Read(long before)
    {
        if (_position >= before)
        {
            return;
        }

        foreach (var line in RecordReader.Lines(record, _position, before).Where(line => line.IsFinished))
        {
            Add(line.Bytes, line.Offset);
            _position = line.Offset + line.Bytes.Length + 1;
        }
    }

    private void Add(ReadOnlyMemory<byte> line, long offset)
    {
        if (MayRelate(line.Span) && EventKeys.Read(line) is { Target: { } target } keys)
        {
            _newest[(keys.Relation, target)] = offset;
        }
    }

    // An escaped string may be any of the names.
    private static bool MayRelate(ReadOnlySpan<byte> line) =>
        line.IndexOf("m.replace"u8) >= 0 || line.IndexOf("redact"u8) >= 0 || line.Contains((byte)'\\');
}
