using System.IO.Hashing;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>
/// The ids in records without a current <c>.ids</c> file, such as that of the newest day, so that a request of an unknown event does not
/// read the record again. Safe for concurrent use.
/// </summary>
/// <param name="maxIds">Of all records together: those that were used least recently are dropped. An id takes 20 to 40 bytes.</param>
internal sealed class RecordIds(int maxIds = RecordIds.DefaultMaxIds)
{
    private const int DefaultMaxIds = 2_000_000;
    private const int MaxRecords = 1000;

    private readonly Dictionary<(string Record, ulong Inode), Ids> _records = [];
    private long _uses;

    /// <summary>Whether a record may contain an event: other ids in its lines count, too.</summary>
    /// <param name="record">The path without <c>.gz</c>.</param>
    /// <exception cref="IOException">It can't be read.</exception>
    public bool MayContain(string record, DayFacts facts, string eventId)
    {
        var ids = Use((record, facts.Stamp.Inode));
        bool contains;
        lock (ids)
        {
            ids.Read(record, facts);
            contains = ids.Hashes.Contains(RelatedLine.HashOf(eventId));
        }

        Trim();
        return contains;
    }

    private Ids Use((string Record, ulong Inode) key)
    {
        lock (_records)
        {
            if (!_records.TryGetValue(key, out var ids))
            {
                _records.Add(key, ids = new());
            }

            ids.LastUse = ++_uses;
            return ids;
        }
    }

    private void Trim()
    {
        lock (_records)
        {
            for (var total = _records.Values.Sum(ids => (long)ids.Count); total > maxIds || _records.Count > MaxRecords;)
            {
                var (oldest, dropped) = _records.MinBy(record => record.Value.LastUse);
                _records.Remove(oldest);
                total -= dropped.Count;
            }
        }
    }

    private sealed class Ids
    {
        private long _length;
        private long _modifiedAt;

        public HashSet<ulong> Hashes { get; } = [];

        /// <summary>Of the hashes; may be read while they are added.</summary>
        public int Count { get; private set; }

        public long LastUse { get; set; }

        /// <summary>Reads the lines that were appended since.</summary>
        public void Read(string record, DayFacts facts)
        {
            if (facts.Length < _length && facts.Stamp.ModifiedAt > _modifiedAt)
            {
                // It was cut, or is another file with the inode of one that was deleted.
                Hashes.Clear();
                _length = 0;
            }

            if (_length >= facts.Length)
            {
                return;
            }

            using var file = RecordLines.Open(record, facts);
            foreach (var line in RecordReader.Lines(file.ReadAt, _length, facts.Length))
            {
                Add(line.Bytes);
                _length = line.Offset + line.Bytes.Length + 1;
            }

            _modifiedAt = facts.Stamp.ModifiedAt;
            Count = Hashes.Count;
        }

        private void Add(ReadOnlyMemory<byte> line)
        {
            var rest = line.Span;
            if (!rest.Contains((byte)'\\'))
            {
                for (int start; (start = rest.IndexOf("\"event_id\""u8)) >= 0;)
                {
                    rest = rest[(start + "\"event_id\"".Length)..].TrimStart(" \t:"u8);
                    if (rest is [(byte)'"', ..] && rest[1..].IndexOf((byte)'"') is var end and >= 0)
                    {
                        Hashes.Add(XxHash64.HashToUInt64(rest.Slice(1, end)));
                    }
                }
            }
            else if (RoomEvent.FromRecord(line) is { } e)
            {
                Hashes.Add(RelatedLine.HashOf(e.EventId));
            }
        }
    }
}
