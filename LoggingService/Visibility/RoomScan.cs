using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>Follows the records of one room. Not safe for concurrent use; what it returns is.</summary>
/// <param name="folder">The path of the room's folder.</param>
internal sealed class RoomScan(string folder, HiddenEvents hidden, RecordIds ids)
{
    /// <summary>The newest days are looked at each time, the others in turn: only backfill, repairs and erasures change those.</summary>
    private const int NewestDays = 2;

    /// <summary>How long a room of which a record can't be read is left alone.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    /// <summary>A folder that changed so recently may change again within the resolution of its time.</summary>
    private static readonly TimeSpan TimeResolution = TimeSpan.FromSeconds(2);

    private readonly SortedDictionary<DateOnly, DayFacts> _days = [];

    /// <summary>Names of members, which days have in common.</summary>
    private readonly HashSet<string> _names = [];
    private List<DateOnly> _listed = [];
    private DateTime _listedAt;
    private FactsIndex _past = new([]);
    private bool _isPastChanged;
    private int _turn;
    private long _retryAt;

    /// <summary>As of the last refresh; <c>null</c> if there is nothing to show, or the records can't be read.</summary>
    public RoomVisibility? Current { get; private set; }

    /// <summary>Reads what changed, and returns whether <see cref="Current"/> did.</summary>
    /// <param name="links">The names of the links to the room.</param>
    /// <param name="turns">How many of the earlier days are looked at.</param>
    /// <exception cref="IOException">A record can't be read: nothing of the room is shown.</exception>
    public bool Refresh(IReadOnlyList<string> links, int turns)
    {
        if (Environment.TickCount64 < _retryAt)
        {
            return false;
        }

        try
        {
            var isChanged = ListDays();
            foreach (var day in Due(turns).ToList())
            {
                isChanged |= ReadDay(day);
            }

            if (!isChanged && Current?.Links.SequenceEqual(links) == true)
            {
                return false;
            }

            var before = Current;
            Current = Create(links);
            return before != Current;
        }
        catch
        {
            // A removal may be in what can't be read.
            Current = null;
            _listedAt = default;
            _isPastChanged = true;
            _retryAt = Environment.TickCount64 + (long)RetryInterval.TotalMilliseconds;
            throw;
        }
    }

    /// <summary>Returns whether days were removed.</summary>
    private bool ListDays()
    {
        var changedAt = Directory.GetLastWriteTimeUtc(folder);
        if (changedAt == _listedAt)
        {
            return false;
        }

        _listedAt = DateTime.UtcNow - changedAt > TimeResolution ? changedAt : default;
        _listed = [.. DayFileName.In(folder).Where(file => file.IsRecord).Select(file => file.Day).Distinct().Order()];
        var removed = _days.Keys.Except(_listed).ToList();
        foreach (var day in removed)
        {
            _days.Remove(day);
        }

        _isPastChanged |= removed.Count > 0;
        return removed.Count > 0;
    }

    /// <summary>The days that are looked at: those that were never read, the newest ones, and some of the others.</summary>
    private IEnumerable<DateOnly> Due(int turns)
    {
        var newest = Math.Max(0, _listed.Count - NewestDays);
        var inTurn = new HashSet<int>();
        for (var i = 0; i < turns && i < newest; i++)
        {
            inTurn.Add(_turn = (_turn + 1) % newest);
        }

        return _listed.Where((day, index) => index >= newest || inTurn.Contains(index) || !_days.ContainsKey(day));
    }

    private bool ReadDay(DateOnly day)
    {
        var known = _days.GetValueOrDefault(day);
        var facts = Read(day, known);
        if (facts == known)
        {
            return false;
        }

        if (facts is null)
        {
            _days.Remove(day);
        }
        else
        {
            _days[day] = facts;
        }

        _isPastChanged |= known is null || facts is null || day != _listed[^1];
        return true;
    }

    private DayFacts? Read(DateOnly day, DayFacts? known)
    {
        try
        {
            return DayFactsReader.Read(Path.Combine(folder, DayFileName.Record(day).ToString()), day, known, _names);
        }
        catch
        {
            // It is read again, although nothing of it may change.
            _days.Remove(day);
            throw;
        }
    }

    private RoomVisibility? Create(IReadOnlyList<string> links)
    {
        // Days with nothing but messages have facts without it.
        var roomId = _days.Values.Select(day => day.RoomId).FirstOrDefault(id => id is not null);
        roomId ??= _days.Count > 0 ? RoomRecords.FindRoomId(folder) : null;
        if (roomId is null)
        {
            return null;
        }

        if (_isPastChanged)
        {
            _past = new([.. _days.Values.SkipLast(1)]);

            // Those that were removed must not stay, and few are read from now on.
            _names.Clear();
            _names.TrimExcess();
            _isPastChanged = false;
        }

        // Written before days are removed, which is what has led here.
        return new(folder, roomId, links, _past, new([_days.Values.Last()]), RoomFile.TryRead(folder), hidden, ids, Current);
    }
}
