using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

/// <summary>The rooms and days that are in the index.</summary>
internal sealed class IndexedRooms(SqliteConnection connection) : IDisposable
{
    private readonly Statement _findRoom = new(connection, "SELECT id FROM room WHERE folder = ?1");
    private readonly Statement _insertRoom = new(connection, "INSERT INTO room(folder) VALUES(?1)");
    private readonly Statement _insertDay = new(connection, "INSERT INTO day(room, day, first) VALUES(?1, ?2, ?3)");
    private readonly Statement _days = new(
        connection, "SELECT id, day, device, inode, length, modified, offset, lines, chain, tail, first, last FROM day WHERE room = ?1");

    private readonly Statement _rowsOfDay = new(connection, "SELECT row FROM hit WHERE row BETWEEN ?1 AND ?2 AND day = ?3");

    /// <summary>The row of a room, which is created where it is missing.</summary>
    /// <param name="folder">The name of its folder.</param>
    public long GetOrAdd(string folder)
    {
        if (_findRoom.Bind(1, folder).Value() is { } found)
        {
            return found;
        }

        _insertRoom.Bind(1, folder).Run();
        return _findRoom.Bind(1, folder).Value()!.Value;
    }

    /// <summary>The names of the folders of all rooms.</summary>
    public List<(long Id, string Folder)> Rooms()
    {
        var rooms = new List<(long Id, string Folder)>();
        using var all = new Statement(connection, "SELECT id, folder FROM room");
        while (all.Step())
        {
            rooms.Add((all.Integer(0), all.Text(1)));
        }

        return rooms;
    }

    public List<IndexedDay> Days(long room)
    {
        var days = new List<IndexedDay>();
        _days.Bind(1, room);
        while (_days.Step())
        {
            var state = new FileState(_days.Integer(2), _days.Integer(3), _days.Integer(4), _days.Integer(5));
            days.Add(new(
                _days.Integer(0), DateOnly.FromDayNumber((int)_days.Integer(1)), state, _days.Integer(6),
                (int)_days.Integer(7), (ulong)_days.Integer(8), (ulong)_days.Integer(9), _days.Integer(10), _days.Integer(11)));
        }

        return days;
    }

    public IndexedDay AddDay(long room, DateOnly day)
    {
        _insertDay.Bind(1, room).Bind(2, day.DayNumber).Bind(3, IndexedDay.NoRow).Run();
        var id = SQLitePCL.raw.sqlite3_last_insert_rowid(connection.Handle);
        return new(id, day, default, 0, 0, 0, 0, IndexedDay.NoRow, 0);
    }

    /// <summary>The rows of the events of a day.</summary>
    public List<long> RowsOf(IndexedDay day)
    {
        var rows = new List<long>();
        _rowsOfDay.Bind(1, day.FirstRow).Bind(2, day.LastRow).Bind(3, day.Id);
        while (_rowsOfDay.Step())
        {
            rows.Add(_rowsOfDay.Integer(0));
        }

        return rows;
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_findRoom, _insertRoom, _insertDay, _days, _rowsOfDay])
        {
            statement.Dispose();
        }
    }
}
