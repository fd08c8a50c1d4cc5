using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>One room's log, open for one day: record, text and known ids. One thread appends while another may sync.</summary>
internal sealed class RoomLog : DayLog
{
    private const int LineBufferKept = 64 * 1024;
    private readonly RoomFolder _folder;
    private readonly AppendFile _record;
    private readonly TextFile _text;
    private readonly KnownEvents _known;
    private readonly LineRenderer _renderer;
    private readonly PendingEvents _pending = new();
    private readonly List<(RoomEvent Event, EventKeys Keys, long Offset, int Start)> _appended = [];
    private LineBuffer _lines = new();
    private bool _isLinked;

    private RoomLog(RoomFolder folder, DateOnly day, KnownEvents known)
    {
        _folder = folder;
        _known = known;
        Day = day;
        _record = AppendFile.Open(folder.Record(day));
        try
        {
            _text = TextFile.Open(folder.Text(day));
        }
        catch
        {
            _record.Dispose();
            throw;
        }

        _renderer = new(folder, _record.ReadAt, known, _pending);
        known.UseOpenRecord(_record.ReadAt);
    }

    public override DateOnly Day { get; }

    /// <summary>Opens a day's files, created where they are missing. Existing ones must be consistent (<see cref="RoomRepair"/>).</summary>
    public static RoomLog Open(RoomFolder folder, DateOnly day, KnownEvents known)
    {
        Posix.CreateFolder(folder.Path);
        return new(folder, day, known) { _isLinked = folder.LinkLatest(day, isLogged: true, movesBack: false) };
    }

    /// <summary>Closes a day whose files are synced, and hands its known ids over to another day.</summary>
    public KnownEvents MoveTo(DateOnly day)
    {
        _record.Dispose();
        _text.Dispose();
        _known.StartDay(day, _record.Identity, _text.File.Identity);
        return _known;
    }

    public override IReadOnlyList<LoggedLine> Append(IReadOnlyList<RoomEntry> entries, bool isReplay = false)
    {
        _lines.Clear();
        for (var i = 0; i < entries.Count; i++)
        {
            var e = entries[i].Event!;
            if (_pending.Contains(e.EventId) || _known.Contains(e.EventId, isReplay) || (_folder.ErasedUntil is not null && IsErased(e)))
            {
                continue;
            }

            var (keys, offset) = (EventKeys.Of(e), _record.Position);
            _appended.Add((e, keys, offset, _lines.Length));
            _renderer.Render(_lines, e, offset);
            e.WriteRecord(_record);
            _pending.Add(e, keys, offset);
        }

        if (_appended.Count == 0)
        {
            return [];
        }

        _record.Flush();
        _text.Append(_lines.WrittenMemory);
        if (!IsUnchanged())
        {
            throw new FileChangedException(_folder.Path);
        }

        if (!_isLinked && _appended.Exists(item => item.Event.FetchedTs is null))
        {
            // A day before the latest one is the newest only where the clock was set back.
            _isLinked = _folder.LinkLatest(Day, isLogged: false, movesBack: true);
        }

        _pending.Clear();
        var logged = new List<LoggedLine>(_appended.Count);
        for (var i = 0; i < _appended.Count; i++)
        {
            var (e, keys, offset, start) = _appended[i];
            var end = i + 1 < _appended.Count ? _appended[i + 1].Start : _lines.Length;
            _known.Add(keys, offset);
            logged.Add(new(e, _lines.WrittenMemory[start..end]) { Day = Day });
        }

        _appended.Clear();
        if (_lines.Length > LineBufferKept)
        {
            _lines = new();
        }

        return logged;
    }

    private bool IsErased(RoomEvent e) => !e.IsNote && e.OriginServerTs < _folder.ErasedUntil;

    public override bool IsUnchanged() => _record.IsUnchanged() && _text.File.IsUnchanged();

    public override void Sync()
    {
        _record.Sync();
        _text.File.Sync();
        Posix.Sync(_folder.Path);
    }

    public override long FilterSize => _known.FilterSize;

    public override void DropFilter() => _known.DropFilter();

    public override void Save() => _known.Save(_record.Identity, _text.File.Identity);

    public override void Dispose()
    {
        _record.Dispose();
        _text.Dispose();
    }
}
