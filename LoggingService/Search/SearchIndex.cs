using System.Globalization;
using System.Text;
using LoggingService.Files;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace LoggingService.Search;

/// <summary>Searches the index; many searches may run at the same time, also while it is written.</summary>
/// <param name="root">The log directory.</param>
/// <param name="zone">The zone of the days in <c>before:</c> and <c>after:</c>.</param>
internal sealed class SearchIndex(string root, TimeZoneInfo zone)
{
    /// <summary>Counts stop there.</summary>
    public const int MaxCount = 1000;

    /// <summary>How many edits of an event are tried.</summary>
    private const int MaxEdits = 20;

    /// <summary>The identity of the file that was opened last.</summary>
    private object? _file;

    /// <summary>
    /// Finds events, newest first. The first page also counts them. Only <paramref name="rooms"/> are searched.
    /// </summary>
    /// <param name="before">Where a later page begins (<see cref="SearchResults.Next"/>); <c>null</c> for the first one.</param>
    /// <param name="limit">How many are on a page.</param>
    /// <param name="cancellation">Ends the search with what was found until then.</param>
    public SearchResults Search(
        SearchQuery query, IReadOnlyCollection<SearchedRoom> rooms, long? before, int limit, CancellationToken cancellation)
    {
        if (query.IsEmpty)
        {
            return SearchResults.None;
        }

        try
        {
            using var connection = Open();
            if (connection is null)
            {
                return SearchResults.Unavailable;
            }

            var searched = FindRooms(connection, query, rooms);
            var sql = searched.Count == 0 ? null : CreateSql(connection, query, searched.Keys, before);
            return sql is null
                ? SearchResults.None
                : Run(connection, sql, query, searched, before is null ? MaxCount : 0, limit, cancellation);
        }
        catch (Exception e) when (SearchDatabase.IsExpected(e))
        {
            // It is damaged, or was just deleted: its writer finds that, too, and builds it again.
            return SearchResults.Unavailable;
        }
    }

    /// <summary>The places of the lines that edit an event, newest first; those of other events may be among them.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    public IReadOnlyList<EventPlace> FindEdits(string folder, string eventId)
    {
        const string Sql = """
            SELECT day.day, day.inode, relation.offset FROM room CROSS JOIN relation ON relation.room = room.id CROSS JOIN day
            ON day.id = relation.day WHERE room.folder = ?1 AND relation.target = ?2 AND relation.kind = 3
            ORDER BY day.day DESC, relation.offset DESC
            """;
        var places = new List<EventPlace>();
        try
        {
            using var connection = Open();
            using var find = connection is null ? null : new Statement(connection, Sql);
            find?.Bind(1, folder).Bind(2, RelationTable.Key(eventId));
            while (find?.Step() == true && places.Count < MaxEdits)
            {
                places.Add(new(DateOnly.FromDayNumber((int)find.Integer(0)), (ulong)find.Integer(1), find.Integer(2), Line: null));
            }
        }
        catch (Exception e) when (SearchDatabase.IsExpected(e))
        {
            // As if there were none.
        }

        return places;
    }

    private SqliteConnection? Open()
    {
        // Connections stay open between searches: not those of a file that was replaced.
        var file = Posix.Stat(SearchDatabase.PathOf(root));
        if (_file is Posix.FileIdentity known && file?.IsSameFileAs(known) != true)
        {
            SearchDatabase.CloseReaders(root);
        }

        _file = file;
        return SearchDatabase.TryOpenToRead(root);
    }

    private static Dictionary<long, SearchedRoom> FindRooms(
        SqliteConnection connection, SearchQuery query, IReadOnlyCollection<SearchedRoom> rooms)
    {
        var found = new Dictionary<long, SearchedRoom>();
        using var find = new Statement(connection, "SELECT id FROM room WHERE folder = ?1");
        foreach (var room in rooms.Where(room => query.In.Count == 0 || query.In.Any(room.IsNamed)))
        {
            if (find.Bind(1, room.Folder).Value() is { } id)
            {
                found[id] = room;
            }
        }

        return found;
    }

    /// <summary>The statement, whose only parameter is the expression; <c>null</c> if it can't find anything.</summary>
    private string? CreateSql(SqliteConnection connection, SearchQuery query, IReadOnlyCollection<long> rooms, long? before)
    {
        var row = query.Expression is null ? "hit.row" : "words.rowid";
        var sql = new StringBuilder("SELECT hit.row, day.room, day.day, hit.offset, hit.line, sender.user, day.inode FROM ")
            .Append(query.Expression is null ? "hit" : "words CROSS JOIN hit ON hit.row = words.rowid")
            .Append(" CROSS JOIN day ON day.id = hit.day CROSS JOIN sender ON sender.id = hit.sender WHERE ")
            .Append(query.Expression is null ? "1" : "words MATCH ?1");
        Add(sql, $" AND day.room IN ({string.Join(',', rooms)})");
        if (query.From.Count > 0)
        {
            var senders = FindSenders(connection, query.From);
            if (senders.Count == 0)
            {
                return null;
            }

            Add(sql, $" AND hit.sender IN ({string.Join(',', senders)})");
        }

        if (query.Kinds != HitKinds.None)
        {
            Add(sql, $" AND (hit.line & {(int)query.Kinds}) = {(int)query.Kinds}");
        }

        if (query.After is { } after)
        {
            Add(sql, $" AND {row} >= {FirstRow(after)}");
        }

        var end = Math.Min(before ?? long.MaxValue, query.Before is { } day ? FirstRow(day) : long.MaxValue);
        if (end != long.MaxValue)
        {
            Add(sql, $" AND {row} < {end}");
        }

        return sql.Append(" ORDER BY ").Append(row).Append(" DESC").ToString();
    }

    private static void Add(StringBuilder sql, FormattableString part) => sql.Append(part.ToString(CultureInfo.InvariantCulture));

    /// <summary>The row of a day's first second, in the zone.</summary>
    private long FirstRow(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        return day.Year < 1971 ? 0 : RowTime.FirstRow(new DateTimeOffset(midnight, zone.GetUtcOffset(midnight)).ToUnixTimeMilliseconds());
    }

    private static List<long> FindSenders(SqliteConnection connection, IReadOnlyList<string> users)
    {
        var found = new List<long>();
        using var find = new Statement(connection, "SELECT id FROM sender WHERE user LIKE ?1 ESCAPE '\\'");
        foreach (var user in users)
        {
            var id = user.TrimStart('@').Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_");
            find.Bind(1, user.Contains(':') ? $"@{id}" : $"@{id}:%");
            while (find.Step())
            {
                found.Add(find.Integer(0));
            }
        }

        return found;
    }

    private static SearchResults Run(
        SqliteConnection connection, string sql, SearchQuery query, Dictionary<long, SearchedRoom> rooms, int maxCount, int limit,
        CancellationToken cancellation)
    {
        var hits = new List<SearchHit>();
        var count = 0;
        var isComplete = true;
        using (cancellation.Register(() => raw.sqlite3_interrupt(connection.Handle)))
        using (var statement = new Statement(connection, sql))
        {
            if (query.Expression is { } expression)
            {
                statement.Bind(1, expression);
            }

            try
            {
                // One more than the page tells that there is a next one, and one more than the count that there are more.
                while (count <= Math.Max(limit, maxCount) && !cancellation.IsCancellationRequested && statement.Step())
                {
                    var room = rooms[statement.Integer(1)];
                    var hit = Read(statement, room.Folder);
                    if (room.MaySee(hit))
                    {
                        count += room.MayCount(hit) ? 1 : 0;
                        if (hits.Count <= limit)
                        {
                            hits.Add(hit);
                        }
                    }
                }

                isComplete = !cancellation.IsCancellationRequested;
                statement.Reset();
            }
            catch (SqliteException e) when (e.SqliteErrorCode == raw.SQLITE_INTERRUPT)
            {
                isComplete = false;
            }
        }

        long? next = null;
        if (hits.Count > limit)
        {
            hits.RemoveAt(limit);
            next = hits.Count == 0 ? null : hits[^1].Row;
        }

        return new(hits, Math.Min(count, maxCount), count > maxCount && maxCount > 0, next, isComplete);
    }

    private static SearchHit Read(Statement statement, string folder) => new(
        statement.Integer(0), folder, DateOnly.FromDayNumber((int)statement.Integer(2)), (ulong)statement.Integer(6),
        new(statement.Integer(3), HitLine.NumberOf(statement.Integer(4))), statement.Text(5), HitLine.KindsOf(statement.Integer(4)));
}
