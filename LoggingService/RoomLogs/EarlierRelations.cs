namespace LoggingService.RoomLogs;

/// <summary>
/// The newest redactions and edits before a line that is rendered again: <see cref="KnownEvents"/> has also those behind it. Read when they
/// are asked for, each line once.
/// </summary>
/// <param name="record">The open record.</param>
internal sealed class EarlierRelations(RecordReader.ReadAt record)
{
    private readonly Dictionary<(EventIdKind Kind, string Key), long> _newest = [];
    private long _position;

    /// <summary>The offset of the newest line with a key before another line, which may not go back.</summary>
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
