using System.IO.Hashing;
using System.Runtime.InteropServices;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// The ids of a room's 31 newest day files, whatever today's date: those of the day that is written to in memory, the others
/// in <c>.ids</c> files, which are read only for ids that the room's filter may contain. Every hit is verified by reading the line. Used
/// by one thread at a time. All members throw <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> if a record can't
/// be read.
/// </summary>
internal sealed class KnownEvents
{
    /// <summary>How many of the newest day files a new event is compared with.</summary>
    public const int Days = 31;

    private readonly string _folder;
    private readonly Func<string, ulong, ulong> _hash;
    private readonly bool _isOfAllDays;

    /// <summary>Days behind the current one don't count.</summary>
    private readonly bool _isHistory;

    /// <summary>The same for all days, so that one hash is looked up in the filter of all.</summary>
    private readonly ulong _seed;
    private List<DayEventIds> _days = [];
    private DayEventIds _current;
    private IdFilter? _filter;
    private int _rebuilds;

    private KnownEvents(
        string folder, DateOnly day, Func<string, ulong, ulong> hash, bool isHistory = false, bool isOfAllDays = false)
    {
        _folder = folder;
        _isHistory = isHistory;
        _hash = hash;
        _isOfAllDays = isOfAllDays;
        _seed = FindSeed() ?? (ulong)Random.Shared.NextInt64();
        _current = Create(day);
    }

    public DateOnly Day => _current.Day;

    /// <summary>Whether the day's text was as the <c>.ids</c> file noted it when the day was opened; false if not known.</summary>
    public bool TextMatches { get; private set; }

    /// <summary>Bytes of ids in memory, without the filter.</summary>
    public long Size => _days.Sum(day => day.Size);

    /// <summary>Bytes of the filter in memory.</summary>
    public long FilterSize => _filter?.Size ?? 0;

    /// <summary>Opens a room for a day. Slow where an <c>.ids</c> file is missing: 0.1 s a day of 30,000 events.</summary>
    public static KnownEvents Open(string folder, DateOnly day, Func<string, ulong, ulong>? hash = null)
    {
        var known = new KnownEvents(folder, day, hash ?? Hash, isHistory: false);
        known.Start();
        return known;
    }

    /// <summary>Writes the <c>.ids</c> file of a day whose record will be removed, where a killed process did not; best effort.</summary>
    public static void EnsureSaved(string folder, DateOnly day)
    {
        try
        {
            new KnownEvents(folder, day, Hash, isHistory: false)._current.Count();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A record that can't be read is removed all the same.
        }
    }

    /// <summary>Opens a room to render lines of a day again: the day and the newest ones before it.</summary>
    public static KnownEvents OpenHistory(string folder, DateOnly day)
    {
        var known = new KnownEvents(folder, day, Hash, isHistory: true);
        known.Start();
        return known;
    }

    /// <summary>
    /// Opens all days of a room, to look up ids while the writer may append to them: what is appended later may be found or not. Writes no
    /// file. Reads the records of days without a valid <c>.ids</c> file.
    /// </summary>
    public static KnownEvents OpenAll(string folder)
    {
        var known = new KnownEvents(folder, DateOnly.MaxValue, Hash, isOfAllDays: true);
        known.Start();
        return known;
    }

    /// <summary>
    /// The oldest day whose record has one of some events, of all days of a room; the newest ones where an event is not logged: its edits
    /// may be. Writes no file, as <see cref="OpenAll"/>.
    /// </summary>
    public static DateOnly FindFirstDay(string folder, IReadOnlyCollection<string> eventIds)
    {
        var days = DayFileName.In(folder).Where(file => file.IsRecord).Select(file => file.Day).Distinct().Order().ToList();
        var missing = eventIds.ToHashSet();
        var first = DateOnly.MaxValue;
        var known = new KnownEvents(folder, DateOnly.MaxValue, Hash, isOfAllDays: true);
        foreach (var day in days)
        {
            if (day < first && Remove(day))
            {
                first = day;
            }
        }

        var newest = days.Count == 0 ? DateOnly.MaxValue : days[Math.Max(0, days.Count - Days)];
        return missing.Count > 0 && newest < first ? newest : first;

        bool Remove(DateOnly day)
        {
            try
            {
                var ids = known.Create(day);
                return missing.RemoveWhere(id => ids.Find(EventIdKind.Event, id) is not null) > 0;
            }
            catch (DamagedFileException)
            {
                // It may have them.
                return true;
            }
        }
    }

    /// <summary>Deletes the <c>.ids</c> file of a day whose record is repaired.</summary>
    public static void Discard(string folder, DateOnly day) => File.Delete(Path.Combine(folder, DayFileName.Ids(day).ToString()));

    /// <param name="eventId">Of the event.</param>
    /// <param name="isReplay">The id doesn't count if its line would be in this day's record, and isn't.</param>
    public bool Contains(string eventId, bool isReplay = false) =>
        Locate(EventIdKind.Event, eventId, isLineNeeded: false) is { } found && !(isReplay && found == (Day, DayEventIds.NoLine));

    /// <summary>The newest line of an event; <c>null</c> also if retention removed it.</summary>
    public (DateOnly Day, long Offset)? Find(string eventId) => Locate(EventIdKind.Event, eventId);

    /// <summary>The newest redaction of an event, or of all earlier events of a user; its line may be gone.</summary>
    /// <param name="before">Only days before this one count.</param>
    public (DateOnly Day, long Offset)? FindRedaction(string id, DateOnly? before = null) =>
        Locate(EventIdKind.Redaction, id, isLineNeeded: false, before);

    /// <summary>The newest edit of an event by a sender, valid or not; <c>null</c> also if retention removed it.</summary>
    /// <param name="before">Only days before this one count.</param>
    public (DateOnly Day, long Offset)? NewestEdit(string eventId, string? sender = null, DateOnly? before = null) =>
        Locate(EventIdKind.Edit, EventKeys.EditKey(eventId, sender), isLineNeeded: true, before);

    /// <summary>The newest state event of a type and state key.</summary>
    public (DateOnly Day, long Offset)? NewestState(string type, string stateKey) =>
        Locate(EventIdKind.State, EventKeys.StateOf(type, stateKey));

    /// <summary>Adds the keys of an event that was appended to the day's record.</summary>
    public void Add(EventKeys keys, long offset) => _current.Add(keys, offset);

    /// <summary>Reads lines of the day from its open record, until the ids are saved; else each hit opens the file.</summary>
    public void UseOpenRecord(RecordReader.ReadAt record) => _current.OpenRecord = record;

    /// <summary>Saves the ids of the current day and starts another.</summary>
    public void StartDay(DateOnly day, Posix.FileIdentity? record, Posix.FileIdentity? text)
    {
        if (day != Day)
        {
            Save(record, text);
            _current = _days.Find(known => known.Day == day) ?? Create(day);
            Start();
        }
    }

    /// <summary>Writes the ids of the day to its file, best effort. Nothing can be added until another day starts.</summary>
    /// <param name="record">The record after the last append; nothing is written if it has changed since.</param>
    /// <param name="text">The text after the last append, which the file notes.</param>
    public void Save(Posix.FileIdentity? record, Posix.FileIdentity? text) => _current.StopWriting(record, text);

    /// <summary>Frees the memory of the filter: until another day starts, each lookup searches the files of all days.</summary>
    public void DropFilter() => _filter = null;

    /// <summary>
    /// Those of some events that a day's record contains; <c>null</c> where its <c>.ids</c> file is missing or of another state of the
    /// record. Writes nothing.
    /// </summary>
    public static List<string>? FindIn(string folder, DateOnly day, IEnumerable<string> eventIds)
    {
        try
        {
            return RecordStamp.Read(Path.Combine(folder, DayFileName.Record(day).ToString())) is { } stamp
                ? EventIdFile.Read(
                    Path.Combine(folder, DayFileName.Ids(day).ToString()), stamp,
                    ids => eventIds.Where(id => ids.Find(Hash(id, ids.Seed)) is not null).ToList())
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static ulong Hash(string id, ulong seed) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(id.AsSpan()), (long)seed);

    private void Start()
    {
        _days =
        [
            .. DayFileName.In(_folder).Where(file => file.IsRecord || file.IsIds)
                .Select(file => file.Day)
                .Append(Day)
                .Where(day => !_isHistory || day <= Day)
                .Distinct()
                .OrderDescending()
                .Where((day, index) => index < Days || day == Day || _isOfAllDays)
                .Select(day => day == Day ? _current : _days.Find(known => known.Day == day) ?? Create(day)),
        ];
        TextMatches = _current.StartWriting();
        BuildFilter();
    }

    private DayEventIds Create(DateOnly day) => new(_folder, day, _seed, _hash, isReadOnly: _isOfAllDays);

    private ulong? FindSeed()
    {
        foreach (var file in DayFileName.In(_folder).Where(file => file.IsIds).OrderByDescending(file => file.Day))
        {
            try
            {
                return EventIdFile.Read(Path.Combine(_folder, file.ToString()), record: null, ids => ids.Seed);
            }
            catch (InvalidDataException)
            {
                // It will be rebuilt.
            }
        }

        return null;
    }

    /// <summary>Builds the filter of all days but the current one; none where a day has hashes of another seed.</summary>
    private void BuildFilter()
    {
        _filter = null;
        var days = _days.FindAll(day => day != _current);
        var counts = days.ConvertAll(day => day.Count());
        if (!counts.Contains(null))
        {
            var filter = new IdFilter(counts.Sum() ?? 0);
            _filter = days.TrueForAll(day => day.TryAddTo(filter)) ? filter : null;
        }

        _rebuilds = _days.Sum(day => day.Rebuilds);
    }

    private (DateOnly Day, long Offset)? Locate(EventIdKind kind, string key, bool isLineNeeded = true, DateOnly? before = null)
    {
        if (_filter?.MayContain(_hash(key, _seed + (ulong)kind)) == false)
        {
            return before is null || Day < before ? Locate(_current, kind, key, isLineNeeded) : null;
        }

        var days = before is null ? _days : _days.FindAll(day => day.Day < before);
        var found = days.Select(day => Locate(day, kind, key, isLineNeeded)).FirstOrDefault(location => location is not null);
        if (_days.Sum(day => day.Rebuilds) != _rebuilds)
        {
            // Another program changed a record.
            BuildFilter();
        }

        return found;
    }

    private static (DateOnly Day, long Offset)? Locate(DayEventIds day, EventIdKind kind, string key, bool isLineNeeded) =>
        day.Find(kind, key) is { } offset && !(isLineNeeded && offset == DayEventIds.NoLine) ? (day.Day, offset) : null;
}
