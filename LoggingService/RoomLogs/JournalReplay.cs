using System.Collections.Concurrent;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>
/// What an earlier process left in the journal and in parked segments: one pass finds the rooms, further ones their entries.
/// </summary>
internal sealed class JournalReplay(WriteAheadJournal journal, Parking parking, RoomLogCache cache, Action<DamagedBytes> damaged)
{
    /// <summary>Bytes of the entries that are in memory at a time.</summary>
    private const long BatchBytes = 64 * 1024 * 1024;

    private readonly Dictionary<Room, long> _sizes = [];
    private long _framesRead;

    public int RoomCount { get; private set; }

    /// <summary>Counts each frame in each pass; for another thread.</summary>
    public long FramesRead => Volatile.Read(ref _framesRead);

    /// <summary>The last line of each room that tells whether it is logged.</summary>
    public ConcurrentDictionary<string, RoomEvent> LastEvents { get; } = new();

    /// <summary>By room and event id, what was not logged as it was pushed: true without its content, false without a quotation.</summary>
    public Dictionary<string, Dictionary<string, bool>> NotLogged { get; } = [];

    /// <summary>Reads all entries once, and marks their rooms as unsynced.</summary>
    public void Read()
    {
        foreach (var frame in parking.Replay(damaged))
        {
            journal.StartAfter(frame.Sequence);
            foreach (var room in Add(frame))
            {
                room.ParkedThrough = frame.Sequence;
            }
        }

        foreach (var frame in journal.Replay(damaged))
        {
            Add(frame);
        }

        foreach (var (roomId, e) in LastEvents)
        {
            // Otherwise it keeps its frame in memory.
            LastEvents[roomId] = e.Copy();
        }

        RoomCount = _sizes.Count;
    }

    /// <summary>The rooms to repair, with their entries; <c>null</c> for a room with too many: the repair reads the journal.</summary>
    public IEnumerable<(Room Room, IReadOnlyList<RoomEntry>? Entries)> Repairs()
    {
        var batch = new Dictionary<string, (Room Room, List<RoomEntry> Entries)>();
        var bytes = 0L;
        foreach (var (room, size) in _sizes)
        {
            if (size > BatchBytes || room.ParkedThrough > 0)
            {
                yield return (room, null);
                continue;
            }

            if (bytes + size > BatchBytes)
            {
                foreach (var repair in ReadBatch(batch))
                {
                    yield return repair;
                }

                batch.Clear();
                bytes = 0;
            }

            batch[room.RoomId] = (room, []);
            bytes += size;
        }

        foreach (var repair in ReadBatch(batch))
        {
            yield return repair;
        }

        _sizes.Clear();
    }

    private List<Room> Add(JournalFrame frame)
    {
        _framesRead++;
        var rooms = new List<Room>();
        foreach (var entry in RoomEntry.Of(frame))
        {
            var room = cache.GetOrAdd(entry.RoomId);
            room.AddUnsynced(entry);
            _sizes[room] = _sizes.GetValueOrDefault(room) + entry.Entry.Bytes.Length;
            rooms.Add(room);
            if (entry.Event is { FetchedTs: null } e && Note.TellsIfLogged(e))
            {
                LastEvents[entry.RoomId] = e;
            }

            if (entry.Entry.Bytes.Span.IndexOf("\"not_logged\":"u8) >= 0 && entry.Event is { } notLogged)
            {
                AddNotLogged(notLogged);
            }
        }

        return rooms;
    }

    private void AddNotLogged(RoomEvent e)
    {
        var isStub = Events.NotLogged.IsStub(e);
        if (!isStub && !Events.NotLogged.IsWithoutQuote(e))
        {
            return;
        }

        if (!NotLogged.TryGetValue(e.RoomId, out var events))
        {
            NotLogged.Add(e.RoomId, events = []);
        }

        events[e.EventId] = isStub;
    }

    private IEnumerable<(Room Room, IReadOnlyList<RoomEntry>? Entries)> ReadBatch(
        Dictionary<string, (Room Room, List<RoomEntry> Entries)> batch)
    {
        if (batch.Count > 0)
        {
            using var range = journal.Read(0, journal.LastSequence);
            foreach (var frame in range.Frames())
            {
                _framesRead++;
                foreach (var entry in RoomEntry.Of(frame))
                {
                    if (batch.TryGetValue(entry.RoomId, out var found))
                    {
                        found.Entries.Add(entry);
                    }
                }
            }
        }

        // Not looked up in the cache: it belongs to the writer, which runs already.
        foreach (var (room, entries) in batch.Values)
        {
            yield return (room, entries);
        }
    }
}
