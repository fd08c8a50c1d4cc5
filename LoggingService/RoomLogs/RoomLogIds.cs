using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoggingService.RoomLogs;

/// <summary>The ids of recorded events: those of the two newest days are in memory, with the offsets of their lines.</summary>
internal sealed partial class RoomLog
{
    /// <summary>How many days back a duplicate of an old event is searched for.</summary>
    private const int OldestKnown = 31;

    /// <summary>How many ids of older days stay in memory for the next transaction.</summary>
    private const int OlderKept = 50_000;

    private readonly Dictionary<Guid, long> _known = [];
    private readonly Dictionary<Guid, long> _appended = [];
    private readonly Dictionary<Guid, long> _knownBefore;
    private readonly Dictionary<DateOnly, HashSet<Guid>> _older = [];
    private readonly DateOnly? _dayBefore;
    private readonly DateOnly? _lastWritten;

    /// <summary>Ids in memory; the room itself counts as 50.</summary>
    public int Ids => 50 + _known.Count + _knownBefore.Count;

    // A Guid is 16 bytes that a dictionary packs densely, nothing more.
    private static Guid Key(string eventId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(eventId.AsSpan()), hash);
        return MemoryMarshal.Read<Guid>(hash);
    }

    private static void Know(Dictionary<Guid, long> known, RecordReader.Line line)
    {
        if (RoomEvent.GetEventId(line.Bytes) is { } eventId)
        {
            known.TryAdd(Key(eventId), line.Offset);
        }
    }

    private Dictionary<Guid, long> ReadIds(DateOnly day)
    {
        var ids = new Dictionary<Guid, long>();
        foreach (var line in RecordReader.Lines(Path.Combine(_root, RecordName(day))))
        {
            Know(ids, line);
        }

        return ids;
    }

    // In the two newest days, in the day that was written last or, for an older timestamp, in the days since then: a homeserver
    // that crashed can resend a transaction weeks later.
    private bool IsKnown(Guid id, DateOnly claimed)
    {
        if (_known.ContainsKey(id) || _appended.ContainsKey(id) || _knownBefore.ContainsKey(id)
            || (_lastWritten is { } last && last != Day && last != _dayBefore && Older(last).Contains(id)))
        {
            return true;
        }

        // A day of slack for clock skew or a changed time zone; a timestamp in the future says nothing.
        var since = claimed > Day.AddDays(1) || claimed == DateOnly.MinValue ? DateOnly.MinValue : claimed.AddDays(-1);
        var oldest = Day.AddDays(-OldestKnown);
        if (_dayBefore is not { } loaded || since >= loaded)
        {
            return false;
        }

        return RecordedDays(Path.Combine(_root, _folder))
            .Where(day => day < loaded && day >= since && day >= oldest)
            .Any(day => Older(day).Contains(id));
    }

    private HashSet<Guid> Older(DateOnly day)
    {
        if (!_older.TryGetValue(day, out var ids))
        {
            _older[day] = ids = [.. ReadIds(day).Keys];
        }

        return ids;
    }
}
