using System.Buffers;

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
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        for (var filled = 0; _position + filled < before;)
        {
            if (filled == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, filled).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }

            var wanted = (int)Math.Min(buffer.Length - filled, before - _position - filled);
            var read = record(_position + filled, buffer.AsSpan(filled, wanted));
            if (read == 0)
            {
                break;
            }

            filled += read;
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
            {
                Add(buffer.AsMemory(start, length), _position + start);
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            _position += start;
        }

        ArrayPool<byte>.Shared.Return(buffer);
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
