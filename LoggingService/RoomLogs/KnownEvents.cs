using System.IO.Hashing;
using System.Runtime.InteropServices;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// The ids of a room's 31 newest day files, whatever today's date: those of the day that is written to in memory, the others
/// in <c>.ids</c> files; every hit is verified by reading the line. Used by one thread at a time. All members throw
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> if a record can't be read.
/// </summary>
internal sealed class KnownEvents : IDisposable
{
    private const int Days = 31;
    private readonly Func<DateOnly, DayEventIds> _create;
    private readonly string _folder;
    private List<DayEventIds> _days = [];
    private DayEventIds _current;

    private KnownEvents(string folder, DateOnly day, Func<DateOnly, DayEventIds> create)
    {
        _folder = folder;
        _create = create;
        _current = create(day);
    }

    public DateOnly Day => _current.Day;

    /// <summary>Whether the day's text was as the <c>.ids</c> file noted it when the day was opened; false if not known.</summary>
    public bool TextMatches { get; private set; }

    /// <summary>Bytes of ids in memory, without the filters.</summary>
    public long Size => _days.Sum(day => day.Size);

    /// <summary>Opens a room for a day. Slow where an <c>.ids</c> file is missing: 0.1 s a day of 30,000 events.</summary>
    public static KnownEvents Open(string folder, DateOnly day, IdFilterCache filters, Func<string, ulong, ulong>? hash = null)
    {
        var known = new KnownEvents(folder, day, other => new(folder, other, filters, hash ?? Hash));
        try
        {
            known.Start();
            return known;
        }
        catch
        {
            known.Dispose();
            throw;
        }
    }

    /// <summary>Deletes the <c>.ids</c> file of a day whose record is repaired.</summary>
    public static void Discard(string folder, DateOnly day)
    {
        if (Posix.Stat(folder) is not null)
        {
            File.Delete(Path.Combine(folder, DayFileName.Ids(day).ToString()));
        }
    }

    public bool Contains(string eventId) => Locate(EventIdKind.Event, eventId, isLineNeeded: false) is not null;

    /// <summary>The newest line of an event; <c>null</c> also if retention removed it.</summary>
    public (DateOnly Day, long Offset)? Find(string eventId) => Locate(EventIdKind.Event, eventId);

    public bool IsRemoved(string eventId) => FindRedaction(eventId) is not null;

    /// <summary>The newest redaction of an event, or of all earlier events of a user; its line may be gone.</summary>
    /// <param name="before">Only days before this one count.</param>
    public (DateOnly Day, long Offset)? FindRedaction(string id, DateOnly? before = null) =>
        Locate(EventIdKind.Redaction, id, isLineNeeded: false, before);

    /// <summary>The newest edit of an event by a sender, valid or not; <c>null</c> also if retention removed it.</summary>
    /// <param name="before">Only days before this one count.</param>
    public (DateOnly Day, long Offset)? NewestEdit(string eventId, string? sender = null, DateOnly? before = null) =>
        Locate(EventIdKind.Edit, EventKeys.EditKey(eventId, sender), isLineNeeded: true, before);

    /// <summary>Adds an event that was appended to the day's record.</summary>
    public void Add(RoomEvent e, long offset) => _current.Add(EventKeys.Of(e), offset);

    /// <summary>Saves the ids of the current day and starts another.</summary>
    public void StartDay(DateOnly day, Posix.FileIdentity? record, Posix.FileIdentity? text)
    {
        if (day != Day)
        {
            Save(record, text);
            _current = _days.Find(known => known.Day == day) ?? _create(day);
            Start();
        }
    }

    /// <summary>Writes the ids of the day to its file, best effort. Nothing can be added until another day starts.</summary>
    /// <param name="record">The record after the last append; nothing is written if it has changed since.</param>
    /// <param name="text">The text after the last append, which the file notes.</param>
    public void Save(Posix.FileIdentity? record, Posix.FileIdentity? text) => _current.StopWriting(record, text);

    public void Dispose() => _days.ForEach(day => day.Dispose());

    private static ulong Hash(string id, ulong seed) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(id.AsSpan()), (long)seed);

    private void Start()
    {
        var names = Posix.Stat(_folder) is null ? [] : Directory.EnumerateFiles(_folder).Select(Path.GetFileName);
        var days = names.Select(DayFileName.Parse)
            .Where(file => file is { IsRecord: true } or { IsIds: true })
            .Select(file => file!.Value.Day)
            .Append(Day)
            .Distinct()
            .OrderDescending()
            .Where((day, index) => index < Days || day == Day)
            .Select(day => day == Day ? _current : _days.Find(known => known.Day == day) ?? _create(day))
            .ToList();
        _days.Except(days).ToList().ForEach(day => day.Dispose());
        _days = days;
        TextMatches = _current.StartWriting();

        // A lookup loads the filters.
        Contains("");
    }

    private (DateOnly Day, long Offset)? Locate(EventIdKind kind, string key, bool isLineNeeded = true, DateOnly? before = null)
    {
        foreach (var day in _days)
        {
            if ((before is null || day.Day < before)
                && day.Find(kind, key) is { } offset
                && !(isLineNeeded && offset == DayEventIds.NoLine))
            {
                return (day.Day, offset);
            }
        }

        return null;
    }
}
