using System.Collections.Concurrent;
using LoggingService.Files;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>
/// The entries of parked rooms, copied and synced before the journal drops them: segments of the journal's format, one series a room, in
/// <c>.journal/!room:example.org/000001</c>. They are kept until the room's files have the entries.
/// </summary>
internal sealed class Parking(string root) : IDisposable
{
    private readonly string _folder = Path.Combine(root, WriteAheadJournal.FolderName);

    // Also of rooms that are not parked anymore: a rewrite that began before sees the segments of the next time, with higher numbers.
    private readonly ConcurrentDictionary<string, SegmentSeries> _series = new();

    /// <summary>The parked frames of an earlier process; to be enumerated once, to its end.</summary>
    public IEnumerable<JournalFrame> Replay(Action<DamagedBytes> damaged)
    {
        foreach (var folder in Directory.Exists(_folder) ? Directory.GetDirectories(_folder) : [])
        {
            var series = new SegmentSeries(folder);
            foreach (var frame in series.Replay(damaged))
            {
                _series[RoomEntry.Of(frame).First().RoomId] = series;
                yield return frame;
            }

            if (series.Segments.IsEmpty)
            {
                // A crash came before the first segment was complete, or after the last was dropped.
                series.DeleteFolder();
            }
        }
    }

    /// <summary>All parked frames.</summary>
    public List<JournalFrame> ReadAll() => [.. _series.Keys.SelectMany(Read)];

    /// <summary>Forgets all segments: their folder was moved or removed.</summary>
    public void Forget()
    {
        Dispose();
        _series.Clear();
    }

    /// <summary>A room's parked frames.</summary>
    public IEnumerable<JournalFrame> Read(string roomId)
    {
        // A copy that failed for another room is repeated in a later segment.
        var last = 0L;
        foreach (var frame in _series.GetValueOrDefault(roomId)?.Segments.SelectMany(segment => segment.Read(0, long.MaxValue)) ?? [])
        {
            if (frame.Sequence > last)
            {
                last = frame.Sequence;
                yield return frame;
            }
        }
    }

    /// <summary>Copies entries of rooms; durable when this returns.</summary>
    /// <param name="rooms">For each room the first sequence to copy.</param>
    /// <exception cref="IOException">They can't be written: the journal must keep them.</exception>
    public void Copy(IEnumerable<JournalFrame> frames, IReadOnlyDictionary<string, long> rooms) =>
        SegmentCopy.Run(frames, (sequence, entry) =>
        {
            var roomId = RoomEntry.RoomIdOf(entry);
            return rooms.TryGetValue(roomId, out var from) && sequence >= from ? GetOrAdd(roomId) : null;
        });

    /// <summary>The rooms with parked entries.</summary>
    public IReadOnlyCollection<string> Rooms => [.. _series.Where(item => !item.Value.Segments.IsEmpty).Select(item => item.Key)];

    /// <summary>Starts to replace a room's parked entries; <c>null</c> if it has none.</summary>
    /// <param name="rewrite">As for <see cref="SegmentRewrite"/>.</param>
    public SegmentRewrite? StartRewrite(string roomId, Func<JournalEntry, JournalEntry?> rewrite) =>
        _series.TryGetValue(roomId, out var series) ? new(series, rewrite) : null;

    /// <summary>Drops a room's parked segments, oldest first: its files have what they contain.</summary>
    public void Drop(string roomId)
    {
        if (_series.TryGetValue(roomId, out var series))
        {
            while (!series.Segments.IsEmpty)
            {
                series.DropOldest();
            }

            series.DeleteFolder();
        }
    }

    public void Dispose()
    {
        foreach (var series in _series.Values)
        {
            series.Dispose();
        }
    }

    private SegmentSeries GetOrAdd(string roomId) =>
        _series.GetOrAdd(roomId, _ => new SegmentSeries(Path.Combine(_folder, FolderOf(roomId))));

    private static string FolderOf(string roomId) => roomId == RoomEntry.Quarantine ? Quarantine.Folder : FolderName.ForRoom(roomId);
}
