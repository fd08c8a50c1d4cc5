using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

/// <summary>
/// Writes to the index, in batches: what is added and deleted is in the index after <see cref="Commit"/>. The index of words is fast only
/// if rows are written in their order.
/// </summary>
internal sealed class IndexWriter : IDisposable
{
    private const int MaxEvents = 50_000;
    private const int MaxText = 16 * 1024 * 1024;
    private const int MaxSenders = 100_000;
    private const int MaxProbes = 64;
    private const int ProbeStep = 1024;

    private readonly Statement _insertWords;
    private readonly Statement _deleteWords;
    private readonly Statement _insertHit;
    private readonly Statement _deleteHit;
    private readonly Statement _lastHit;
    private readonly Statement _findSender;
    private readonly Statement _insertSender;
    private readonly Statement _updateDay;
    private readonly Statement _updateRows;
    private readonly Statement _settle;
    private readonly Dictionary<string, long> _senders = [];
    private readonly SortedSet<long> _deleted = [];
    private readonly List<AddedEvent> _added = [];
    private readonly List<(long Room, long Target, long Row)> _settled = [];
    private readonly Dictionary<long, IndexedDay> _days = [];
    private int _textLength;
    private bool _hasRemoved;

    public IndexWriter(SqliteConnection connection)
    {
        Connection = connection;
        _insertWords = new(connection, "INSERT INTO words(rowid, text) VALUES(?1, ?2)");
        _deleteWords = new(connection, "DELETE FROM words WHERE rowid = ?1");
        _insertHit = new(
            connection,
            "INSERT OR IGNORE INTO hit(row, day, offset, line, sender) VALUES(?1, ?2, ?3, ?4, ?5)");
        _deleteHit = new(connection, "DELETE FROM hit WHERE row = ?1");
        _lastHit = new(connection, "SELECT max(row) FROM hit WHERE row BETWEEN ?1 AND ?2");
        _findSender = new(connection, "SELECT id FROM sender WHERE user = ?1");
        _insertSender = new(connection, "INSERT INTO sender(user) VALUES(?1)");
        _updateDay = new(
            connection,
            """
            UPDATE day SET device = ?2, inode = ?3, length = ?4, modified = ?5, offset = ?6, lines = ?7, chain = ?8, tail = ?9
            WHERE id = ?1
            """);
        _updateRows = new(connection, "UPDATE day SET first = min(first, ?2), last = max(last, ?3) WHERE id = ?1");
        _settle = new(connection, "UPDATE relation SET row = ?3 WHERE room = ?1 AND target = ?2");
    }

    public SqliteConnection Connection { get; }

    /// <summary>Whether the batch should be committed before more is added.</summary>
    public bool IsFull => _added.Count >= MaxEvents || _textLength >= MaxText || _deleted.Count >= MaxEvents;

    /// <summary>Events that were added since the start.</summary>
    public long Events { get; private set; }

    /// <summary>Adds an event.</summary>
    public void Add(AddedEvent added)
    {
        _added.Add(added);
        _textLength += added.Text.Length;
    }

    /// <summary>Deletes a row.</summary>
    /// <param name="mustLeave">Its words must leave the file.</param>
    public void Delete(long row, bool mustLeave)
    {
        _deleted.Add(row);
        _hasRemoved |= mustLeave;
    }

    /// <summary>Notes the row of the event that others relate to; 0 if it has none.</summary>
    public void Settle(long room, long target, long row) => _settled.Add((room, target, row));

    /// <summary>Notes how far a day is indexed, once what was added before is.</summary>
    public void SetDay(IndexedDay day) => _days[day.Id] = day;

    /// <summary>Runs changes in a transaction.</summary>
    public void InTransaction(Action change)
    {
        Statement.Run(Connection, "BEGIN IMMEDIATE");
        try
        {
            change();
            Statement.Run(Connection, "COMMIT");
        }
        catch
        {
            _senders.Clear();
            try
            {
                Statement.Run(Connection, "ROLLBACK");
            }
            catch (SqliteException)
            {
                // The error has ended the transaction.
            }

            throw;
        }
    }

    /// <summary>Writes the batch, if there is one.</summary>
    public void Commit()
    {
        if (_added.Count + _deleted.Count + _days.Count + _settled.Count > 0)
        {
            InTransaction(WriteBatch);
        }
    }

    /// <summary>Writes the batch, within a transaction.</summary>
    public void WriteBatch()
    {
        foreach (var row in _deleted)
        {
            _deleteWords.Bind(1, row).Run();
            _deleteHit.Bind(1, row).Run();
        }

        var last = -1L;
        var rowsOfDays = new Dictionary<long, (long First, long Last)>();
        foreach (var added in _added.OrderBy(added => added.Row))
        {
            last = Insert(added, Math.Max(added.Row, last + 1));
            rowsOfDays[added.Day] = (rowsOfDays.TryGetValue(added.Day, out var rows) ? rows.First : last, last);
        }

        foreach (var (day, (first, lastOfDay)) in rowsOfDays)
        {
            _updateRows.Bind(1, day).Bind(2, first).Bind(3, lastOfDay).Run();
        }

        foreach (var (room, target, row) in _settled)
        {
            _settle.Bind(1, room).Bind(2, target).Bind(3, row).Run();
        }

        foreach (var day in _days.Values)
        {
            Update(day);
        }

        if (_hasRemoved)
        {
            IndexPurge.Request(Connection);
        }

        Events += _added.Count;
        Clear();
    }

    /// <summary>Drops the batch, after an error.</summary>
    public void Clear()
    {
        _deleted.Clear();
        _added.Clear();
        _settled.Clear();
        _days.Clear();
        _textLength = 0;
        _hasRemoved = false;
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])
            [
                _insertWords, _deleteWords, _insertHit, _deleteHit, _lastHit, _findSender, _insertSender, _updateDay, _updateRows, _settle,
            ])
        {
            statement.Dispose();
        }

        Connection.Dispose();
    }

    /// <summary>Inserts an event at a row, or at the next one that is free.</summary>
    private long Insert(AddedEvent added, long row)
    {
        _insertHit.Bind(2, added.Day).Bind(3, added.Place.Offset).Bind(4, HitLine.Pack(added.Place.Line, added.Kinds))
            .Bind(5, SenderOf(added.Sender));
        for (var probes = 0; _insertHit.Bind(1, row).Run() == 0; probes++)
        {
            // A burst may fill a long run of rows.
            row = (probes < MaxProbes ? row : _lastHit.Bind(1, row).Bind(2, row + ProbeStep).Value() ?? row) + 1;
        }

        _insertWords.Bind(1, row).Bind(2, SpacedText.Of(added.Text)).Run();
        if (added.Target is { } target)
        {
            Settle(added.Room, target, row);
        }

        return row;
    }

    private long SenderOf(string user)
    {
        if (_senders.TryGetValue(user, out var id))
        {
            return id;
        }

        if (_senders.Count >= MaxSenders)
        {
            _senders.Clear();
        }

        id = _findSender.Bind(1, user).Value() ?? 0;
        if (id == 0)
        {
            _insertSender.Bind(1, user).Run();
            id = SQLitePCL.raw.sqlite3_last_insert_rowid(Connection.Handle);
        }

        _senders.Add(user, id);
        return id;
    }

    /// <summary>Forgets the rows of senders, some of which were deleted.</summary>
    public void ForgetSenders() => _senders.Clear();

    private void Update(IndexedDay day) => _updateDay
        .Bind(1, day.Id).Bind(2, day.State.Device).Bind(3, day.State.Inode).Bind(4, day.State.Length).Bind(5, day.State.Modified)
        .Bind(6, day.Offset).Bind(7, day.Lines).Bind(8, (long)day.Chain).Bind(9, (long)day.Tail).Run();
}

/// <summary>An event to add to the index.</summary>
/// <param name="Row">Its row, or the first one of its second.</param>
/// <param name="Day">The row of its day.</param>
/// <param name="Place">Of its line in the day's record.</param>
/// <param name="Target">What others relate to it by; <c>null</c> if none does.</param>
internal readonly record struct AddedEvent(
    long Row, long Room, long Day, LinePlace Place, string Sender, HitKinds Kinds, string Text, long? Target);

/// <summary>The place of a line in a record: the offset of its first byte, and its number, from 0.</summary>
internal readonly record struct LinePlace(long Offset, int Line);
