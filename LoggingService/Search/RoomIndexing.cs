using LoggingService.Files;
using LoggingService.RoomLogs;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>
/// Brings the index of one room up to date with its records: first the redactions and edits of all lines that are new, so that no event is
/// indexed with text that a later line removes or replaces; then the events; then what the new lines say about events that were indexed
/// before. It may be killed at any point, and is then continued.
/// </summary>
internal sealed class RoomIndexing : IDisposable
{
    private readonly IndexTables _tables;
    private readonly string _folder;
    private readonly string _name;
    private readonly HiddenIds _hidden;
    private readonly Action<string> _reportUnreadable;
    private readonly List<(IndexedDay? Indexed, DateOnly Day, FileState State)> _changed = [];
    private readonly List<IndexedDay> _removed;
    private readonly EventsOfRoom _events;

    /// <summary>By the row of a day: behind the last line that was read for redactions and edits. The next update reads on.</summary>
    private readonly Dictionary<long, long> _noted = [];
    private Dictionary<DateOnly, (IndexedDay Day, FileState State)> _starts = [];

    /// <summary>Looks which days have changed.</summary>
    /// <param name="name">The name of the room's folder.</param>
    /// <param name="reportUnreadable">Receives the error of a record that can't be read; the others are indexed.</param>
    public RoomIndexing(IndexTables tables, string root, string name, HiddenIds hidden, Action<string> reportUnreadable)
    {
        _tables = tables;
        _folder = Path.Combine(root, name);
        _name = name;
        _hidden = hidden;
        _reportUnreadable = reportUnreadable;
        Room = tables.Rooms.GetOrAdd(name);
        _events = new(tables, _folder, Room, hidden);
        var known = tables.Rooms.Days(Room).ToDictionary(day => day.Day);
        var records = hidden.Folders.Contains(name) ? [] : DayFileName.In(_folder).Where(file => file.IsRecord).Select(file => file.Day);
        foreach (var day in records.Distinct().Order())
        {
            if (FileState.Read(RecordOf(day)) is { } state)
            {
                known.Remove(day, out var indexed);
                if (indexed?.State != state || indexed.Offset == IndexedDay.Stale)
                {
                    _changed.Add((indexed, day, state));
                }
            }
        }

        _removed = [.. known.Values];
    }

    public long Room { get; }

    /// <summary>The days that have to be indexed.</summary>
    public IEnumerable<DateOnly> Days => _changed.Select(changed => changed.Day);

    /// <summary>Removes the days whose records are gone, and reads the redactions and edits of the others.</summary>
    public void Start()
    {
        foreach (var day in _removed)
        {
            Reset(day, isRemoved: true);
        }

        if (_changed.Count > 0)
        {
            _starts = FindStarts();
            NoteRelations();
            _events.Start();

            // Many rooms are indexed at the same time.
            _events.Dispose();
        }
    }

    /// <summary>Indexes the events of a day.</summary>
    /// <param name="cancellation">Ends the work behind a batch of events.</param>
    public void IndexDay(DateOnly day, CancellationToken cancellation)
    {
        if (_starts.TryGetValue(day, out var start))
        {
            IndexDay(start.Day, start.State, cancellation);
            _events.Dispose();
        }
    }

    /// <summary>Applies the redactions and edits of events that were indexed before them.</summary>
    public void Finish()
    {
        _tables.Writer.Commit();
        _events.ApplyPending();
        _tables.Writer.Commit();
        _events.Dispose();
    }

    /// <summary>Closes the record that is open, if the work ended early.</summary>
    public void Dispose() => _events.Dispose();

    private string RecordOf(DateOnly day) => Path.Combine(_folder, DayFileName.Record(day).ToString());

    /// <summary>The days to index, each from its offset on.</summary>
    private Dictionary<DateOnly, (IndexedDay Day, FileState State)> FindStarts()
    {
        var days = new Dictionary<DateOnly, (IndexedDay Day, FileState State)>();
        foreach (var (indexed, day, state) in _changed)
        {
            try
            {
                var isStart = indexed?.IsStartOf(RecordOf(day), state) != false;
                var start = indexed is null ? _tables.Rooms.AddDay(Room, day)
                    : isStart ? indexed
                    : Reset(indexed, isRemoved: false);
                days.Add(day, (start, state));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                ReportUnreadable(day, e);
            }
        }

        return days;
    }

    /// <summary>Deletes all of a day from the index; what its edits had changed is indexed again.</summary>
    private IndexedDay Reset(IndexedDay day, bool isRemoved)
    {
        var writer = _tables.Writer;
        var reset = day with { State = default, Offset = 0, Lines = 0, Chain = 0, Tail = 0, FirstRow = IndexedDay.NoRow, LastRow = 0 };
        writer.Commit();
        writer.InTransaction(() =>
        {
            foreach (var row in _tables.Rooms.RowsOf(day))
            {
                writer.Delete(row, mustLeave: true);
            }

            var edited = _tables.Relations.DeleteDay(Room, day.Id);
            writer.SetDay(reset);
            writer.WriteBatch();
            var forget = isRemoved ? "DELETE FROM day" : $"UPDATE day SET first = {IndexedDay.NoRow}, last = 0";
            Statement.Run(writer.Connection, $"{forget} WHERE id = {day.Id}");

            using var events = new EventsOfRoom(_tables, _folder, Room, _hidden);
            events.Start();
            events.IndexRows(edited);
            writer.WriteBatch();
        });
        return reset;
    }

    private void NoteRelations() => _tables.Writer.InTransaction(() =>
    {
        foreach (var (day, _) in _starts.Values)
        {
            _noted[day.Id] = day.Offset;
            try
            {
                using var file = DayFile.TryOpen(RecordOf(day.Day));
                foreach (var line in file is null ? [] : RecordReader.Lines(file.ReadAt, day.Offset, long.MaxValue))
                {
                    if (line.IsFinished)
                    {
                        _events.NoteRelation(line.Bytes, day.Id, line.Offset);
                        _noted[day.Id] = line.Offset + line.Bytes.Length + 1;
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                ReportUnreadable(day.Day, e);
            }
        }
    });

    /// <param name="state">
    /// Of the file before its redactions and edits were noted: where lines were added since, the next update finds that it has changed.
    /// </param>
    private void IndexDay(IndexedDay day, FileState state, CancellationToken cancellation)
    {
        var record = RecordOf(day.Day);
        var (offset, lines, chain) = (day.Offset, day.Lines, day.Chain);
        try
        {
            using var file = DayFile.TryOpen(record);
            foreach (var line in file is null ? [] : RecordReader.Lines(file.ReadAt, day.Offset, _noted[day.Id]))
            {
                if (!line.IsFinished)
                {
                    break;
                }

                if (RoomEvent.FromRecord(line.Bytes) is { } e)
                {
                    _events.Index(e, day, new(line.Offset, lines));
                }

                chain = IndexedDay.Link(chain, line.Bytes.Span);
                offset = line.Offset + line.Bytes.Length + 1;
                lines++;
                if (_tables.Writer.IsFull)
                {
                    SetProgress(default);
                    _tables.Writer.Commit();
                    cancellation.ThrowIfCancellationRequested();
                }
            }

            SetProgress(state);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is read again when it has changed.
            SetProgress(state);
            ReportUnreadable(day.Day, e);
        }

        void SetProgress(FileState reached) => _tables.Writer.SetDay(day with
        {
            State = reached,
            Offset = offset,
            Lines = lines,
            Chain = chain,
            Tail = IndexedDay.TailOf(record, offset),
        });
    }

    private void ReportUnreadable(DateOnly day, Exception e) => _reportUnreadable($"{_name}/{DayFileName.Record(day)}: {e.Message}");
}

/// <summary>The tables of the index, for one writer.</summary>
internal sealed record IndexTables(IndexWriter Writer, IndexedRooms Rooms, RelationTable Relations) : IDisposable
{
    public static IndexTables Open(string root)
    {
        var connection = SearchDatabase.OpenToWrite(root);
        return new(new(connection), new(connection), new(connection));
    }

    public void Dispose()
    {
        Rooms.Dispose();
        Relations.Dispose();
        Writer.Dispose();
    }
}
