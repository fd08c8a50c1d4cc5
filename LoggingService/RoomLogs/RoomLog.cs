using LoggingService.Events;
using LoggingService.Files;
using LoggingService.Logging;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>
/// One room's log, open for one day: its text, its record, and the ids of the events that are in the record. An id is
/// known when its event is durable, not before. Not safe for concurrent use: the log directory's gate is around it.
/// </summary>
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
        (_root, _folder, _time, _logger) = (root, FolderName.ForRoom(roomId), time, logger);
        (RoomId, Day) = (roomId, day);
        Names = NamesOf(roomId, day);
        Posix.CreateFolder(Path.Combine(root, _folder));
        _record = DayFile.Open(root, RecordName(day));
        try
        {
            _text = DayText.Open(root, TextName(day));
            _dayBefore = NewestDay(Path.Combine(root, _folder), other => other != day);
            _knownBefore = _dayBefore is { } before ? ReadIds(before) : [];

            // With a wrong clock the day that was written last is not among the newest, but resent events may be of it.
            if (DayFileName.TryParse(new FileInfo(LatestLink).LinkTarget, out var last)
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

    /// <summary>The room.</summary>
    public string RoomId { get; }

    /// <summary>The day whose files are open.</summary>
    public DateOnly Day { get; }

    /// <summary>Opens a room's log for a day, with the ids of its two newest days, and mends what a crash or somebody else left behind.</summary>
    /// <param name="root">The log directory.</param>
    /// <param name="roomId">The room.</param>
    /// <param name="day">The day of arrival.</param>
    /// <param name="time">The clock, and the time zone that lines are written in.</param>
    /// <param name="logger">Where it says what it had to mend.</param>
    /// <exception cref="IOException">The files can't be opened or mended.</exception>
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

    /// <summary>False if somebody touched the open files since the last batch: the log must be opened anew.</summary>
    public bool IsUntouched() => _record.IsUntouched() && _text.File.IsUntouched();

    /// <summary>
    /// Appends an event to the batch in hand: in memory, nothing is durable yet.
    /// </summary>
    /// <returns>The line that people will read, or <c>null</c> if the record has the event already.</returns>
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

    /// <summary>The open files' paths within the log directory.</summary>
    public List<string> Names { get; }

    /// <summary>The files that the batch in hand touches, be it only to mend them.</summary>
    public IEnumerable<DayFile> Touched => new[] { _text.File, _record }.Where(file => file.Pending.Length > 0);

    /// <summary>The batch is durable: its ids are known from now on.</summary>
    public void Commit()
    {
        if (_known.Count + _appended.Count > _known.Capacity)
        {
            // Not twice as much, as it would take by itself: the ids are most of what the service holds in memory.
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

    /// <summary>fsync of both files, for a log that is given up because somebody moved them: wherever they are now, what was acknowledged is in them.</summary>
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

    /// <summary>Opens the files again after a rest: nothing has to be read, for they are as they were.</summary>
    /// <exception cref="IOException">They are not, or can't be opened.</exception>
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

    /// <inheritdoc/>
    public void Dispose()
    {
        _record.Dispose();
        _text.Dispose();
    }

    private string RecordName(DateOnly day) => $"{_folder}/{DayFileName.Record(day)}";

    private string TextName(DateOnly day) => $"{_folder}/{DayFileName.Text(day)}";

    private string LatestLink => Path.Combine(_root, _folder, "latest.log");

    private static IEnumerable<DateOnly> RecordedDays(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "????????.jsonl"))
        {
            if (DayFileName.TryParse(Path.GetFileName(path), out var name))
            {
                yield return name.Day;
            }
        }
    }

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
        [LoggerMessage(EventId = EventIds.RenderFailed, Level = LogLevel.Warning, Message = "Failed to render event {Id} in {RoomId}; "
            + "its line shows the raw content. This is a bug in LoggingService, please report it.")]
        public static partial void LineFailed(ILogger logger, Exception error, string id, string roomId);

        [LoggerMessage(EventId = EventIds.IncompleteLineMoved, Level = LogLevel.Warning,
            Message = "{File} ended in an incomplete line; moved the line to the quarantine")]
        public static partial void Torn(ILogger logger, string file);

        [LoggerMessage(EventId = EventIds.TextMovedAside, Level = LogLevel.Warning,
            Message = "Text {File} does not match its record; moved to {Kept} and re-rendered")]
        public static partial void TooLong(ILogger logger, string file, string kept);

        [LoggerMessage(EventId = EventIds.LatestLinkFailed, Level = LogLevel.Warning,
            Message = "Failed to create the link {Link}: {Reason}. Events are logged nevertheless.")]
        public static partial void LinkFailed(ILogger logger, string link, string reason);
    }
}
