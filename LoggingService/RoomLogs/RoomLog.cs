using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>A room's log, open for one day: text, record, and the ids of the recorded events, which are known once durable.</summary>
internal sealed partial class RoomLog : IDisposable
{
    private readonly string _root;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DayFile _record;
    private DayText _text;
    private bool? _isLatest;

    private RoomLog(string root, string roomId, DateOnly day, TimeProvider time, ILogger logger)
    {
        _root = root;
        _folder = FolderName.ForRoom(roomId);
        _time = time;
        _logger = logger;
        RoomId = roomId;
        Day = day;
        Names = NamesOf(roomId, day);
        Posix.CreateFolder(Path.Combine(root, _folder));
        _record = DayFile.Open(root, RecordName(day));
        try
        {
            _text = DayText.Open(root, TextName(day));
            _dayBefore = NewestDay(Path.Combine(root, _folder), other => other != day);
            _knownBefore = _dayBefore is { } before ? ReadIds(before) : [];

            // With a wrong clock the day that was written last is not among the newest, but resent events may be of it.
            if (DayFileName.Parse(new FileInfo(LatestLink).LinkTarget) is { } last
                && File.Exists(Path.Combine(root, RecordName(last.Day))))
            {
                _lastWritten = last.Day;
            }
        }
        catch
        {
            _text?.Dispose();
            _record.Dispose();
            throw;
        }
    }

    public string RoomId { get; }

    public DateOnly Day { get; }

    public List<string> Names { get; }

    /// <summary>Opens a room's log for a day of arrival, with the ids of its two newest days, and repairs its files.</summary>
    /// <exception cref="IOException">The files can't be opened or repaired.</exception>
    public static RoomLog Open(string root, string roomId, DateOnly day, TimeProvider time, ILogger logger)
    {
        var room = new RoomLog(root, roomId, day, time, logger);
        try
        {
            room.Mend();
            room.LinkLatest();
            return room;
        }
        catch
        {
            room.Dispose();
            throw;
        }
    }

    /// <summary>The paths, within the log directory, of a room's text and record of a day.</summary>
    public static List<string> NamesOf(string roomId, DateOnly day) =>
        [$"{FolderName.ForRoom(roomId)}/{DayFileName.Text(day)}", $"{FolderName.ForRoom(roomId)}/{DayFileName.Record(day)}"];

    public static DateOnly? NewestDay(string folder, Func<DateOnly, bool> matches) =>
        RecordedDays(folder).Where(matches).Select(day => (DateOnly?)day).Max();

    /// <summary>False if the open files changed on disk since the last batch: the log must be reopened.</summary>
    public bool IsUntouched() => _record.IsUntouched() && _text.File.IsUntouched();

    /// <summary>Appends an event to the current batch, in memory; returns <c>null</c> if the record has it already.</summary>
    public (DateTimeOffset Time, string Line)? Append(RoomEvent e, DateTimeOffset receivedAt)
    {
        var id = Key(e.EventId);
        var time = LogLine.Time(e, receivedAt, _time.LocalTimeZone);
        if (IsKnown(id, DateOnly.FromDateTime(time.DateTime)))
        {
            return null;
        }

        var offset = _record.Length + _record.Pending.Length;
        var line = Render(e, offset, receivedAt);
        _text.Append(time, line);
        e.WriteRecord(_record.Pending, receivedAt);
        _appended.Add(id, offset);
        return (time, line);
    }

    /// <summary>The files that the current batch writes to, including repairs.</summary>
    public IEnumerable<DayFile> Touched => new[] { _text.File, _record }.Where(file => file.Pending.Length > 0);

    public void Commit()
    {
        if (_known.Count + _appended.Count > _known.Capacity)
        {
            // Grow by a quarter instead of doubling: the ids are most of the service's memory.
            _known.EnsureCapacity((_known.Count + _appended.Count) * 5 / 4);
        }

        foreach (var (id, offset) in _appended)
        {
            _known.Add(id, offset);
        }

        _appended.Clear();
        if (_older.Values.Sum(ids => ids.Count) > OlderKept)
        {
            _older.Clear();
        }
    }

    public void Sync()
    {
        _record.Sync();
        _text.File.Sync();
    }

    /// <summary>Closes the files, between two batches; the ids stay.</summary>
    public void Rest()
    {
        _record.Rest();
        _text.Rest();
        _appended.TrimExcess();
        _older.Clear();
    }

    /// <summary>Reopens the files; throws <see cref="IOException"/> if they have changed.</summary>
    public void Wake()
    {
        try
        {
            _record.Wake();
            _text.Wake();
        }
        catch
        {
            Rest();
            throw;
        }
    }

    public void Dispose()
    {
        _record.Dispose();
        _text.Dispose();
    }

    private string RecordName(DateOnly day) => $"{_folder}/{DayFileName.Record(day)}";

    private string TextName(DateOnly day) => $"{_folder}/{DayFileName.Text(day)}";

    private string LatestLink => Path.Combine(_root, _folder, "latest.log");

    private static IEnumerable<DateOnly> RecordedDays(string folder) => Directory.EnumerateFiles(folder, "????????.jsonl")
        .Select(path => DayFileName.Parse(Path.GetFileName(path))?.Day)
        .OfType<DateOnly>();

    private string Render(RoomEvent e, long offset, DateTimeOffset? receivedAt)
    {
        var history = new RoomHistory(id => Find(id, offset), (type, key) => FindState(type, key, offset));
        return RecordText.Render(e, history, _time.LocalTimeZone, receivedAt, error => Log.LineFailed(_logger, error, e.EventId, RoomId));
    }

    private RoomEvent? Find(string eventId, long before)
    {
        var id = Key(eventId);
        if ((_known.TryGetValue(id, out var offset) || _appended.TryGetValue(id, out offset)) && offset < before)
        {
            return RecordReader.EventAt(_record, offset);
        }

        if (_knownBefore.TryGetValue(id, out offset))
        {
            using var record = OpenDayBefore();
            return record is null ? null : RecordReader.EventAt(record, offset);
        }

        return null;
    }

    private RoomEvent? FindState(string type, string stateKey, long before)
    {
        if (RecordReader.NewestState(_record, before, type, stateKey) is { } today)
        {
            return today;
        }

        using var record = OpenDayBefore();
        return record is null ? null : RecordReader.NewestState(record, record.Length, type, stateKey);
    }

    private DayFile? OpenDayBefore() =>
        _dayBefore is { } day && File.Exists(Path.Combine(_root, RecordName(day))) ? DayFile.Open(_root, RecordName(day)) : null;

    private static partial class Log
    {
        [LoggerMessage(EventIds.RenderFailed, LogLevel.Warning,
            "Failed to render event {Id} in {RoomId}; its line shows the raw content. This is a bug in LoggingService, please report it.")]
        public static partial void LineFailed(ILogger logger, Exception error, string id, string roomId);

        [LoggerMessage(EventIds.IncompleteLineMoved, LogLevel.Warning,
            "{File} ended in an incomplete line; moved the line to the quarantine")]
        public static partial void Torn(ILogger logger, string file);

        [LoggerMessage(EventIds.TextMovedAside, LogLevel.Warning, "Text {File} does not match its record; moved to {Kept} and re-rendered")]
        public static partial void TooLong(ILogger logger, string file, string kept);

        [LoggerMessage(EventIds.LatestLinkFailed, LogLevel.Warning,
            "Failed to create the link {Link}: {Reason}. Events are logged nevertheless.")]
        public static partial void LinkFailed(ILogger logger, string link, string reason);
    }
}
