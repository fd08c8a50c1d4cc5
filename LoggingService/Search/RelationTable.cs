using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

internal enum RelationKind
{
    /// <summary>An event is removed.</summary>
    Redaction = 1,

    /// <summary>All earlier events of a user are.</summary>
    UserRedaction = 2,
    Edit = 3,
}

/// <summary>A line of a record that changes what another event is found by.</summary>
/// <param name="Target">The hash of the event's id, or of the user's.</param>
/// <param name="Day">The row of the line's day.</param>
/// <param name="Offset">Of the line.</param>
internal readonly record struct EventRelation(long Target, long Day, long Offset, RelationKind Kind);

/// <summary>
/// The redactions and edits of all rooms. One without a row was not yet applied to its target: it is, at the latest, at the end of the
/// update of its room, also after a crash.
/// </summary>
internal sealed class RelationTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement _insert = new(
        connection, "INSERT OR IGNORE INTO relation(room, target, day, offset, kind) VALUES(?1, ?2, ?3, ?4, ?5)");

    private readonly Statement _find = new(connection, "SELECT target, day, offset, kind FROM relation WHERE room = ?1 AND target = ?2");
    private readonly Statement _count = new(connection, "SELECT 1 FROM relation WHERE room = ?1 LIMIT 1");
    private readonly Statement _pending = new(
        connection, "SELECT target, day, offset, kind FROM relation WHERE room = ?1 AND row IS NULL");

    private readonly Statement _users = new(
        connection, "SELECT target, day, offset, kind FROM relation WHERE room = ?1 AND kind = 2");

    private readonly Statement _editedRows = new(
        connection, "SELECT DISTINCT row FROM relation WHERE room = ?1 AND day = ?2 AND kind = 3 AND row > 0");

    private readonly Statement _deleteDay = new(connection, "DELETE FROM relation WHERE room = ?1 AND day = ?2");

    public static long Key(string id) => (long)XxHash3.HashToUInt64(MemoryMarshal.AsBytes(id.AsSpan()));

    public void Add(long room, EventRelation relation) =>
        _insert.Bind(1, room).Bind(2, relation.Target).Bind(3, relation.Day).Bind(4, relation.Offset).Bind(5, (long)relation.Kind).Run();

    /// <summary>Whether a room has any.</summary>
    public bool HasAny(long room) => _count.Bind(1, room).Value() is not null;

    public List<EventRelation> Of(long room, long target) => Read(_find.Bind(1, room).Bind(2, target));

    /// <summary>Those that were not yet applied.</summary>
    public List<EventRelation> Pending(long room) => Read(_pending.Bind(1, room));

    /// <summary>The removals of all events of a user.</summary>
    public List<EventRelation> OfUsers(long room) => Read(_users.Bind(1, room));

    /// <summary>Deletes those of a day, and returns the rows of what was edited.</summary>
    public List<long> DeleteDay(long room, long day)
    {
        var rows = new List<long>();
        _editedRows.Bind(1, room).Bind(2, day);
        while (_editedRows.Step())
        {
            rows.Add(_editedRows.Integer(0));
        }

        _deleteDay.Bind(1, room).Bind(2, day).Run();
        return rows;
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_insert, _find, _count, _pending, _users, _editedRows, _deleteDay])
        {
            statement.Dispose();
        }
    }

    private static List<EventRelation> Read(Statement statement)
    {
        var found = new List<EventRelation>();
        while (statement.Step())
        {
            found.Add(new(statement.Integer(0), statement.Integer(1), statement.Integer(2), (RelationKind)statement.Integer(3)));
        }

        return found;
    }
}
