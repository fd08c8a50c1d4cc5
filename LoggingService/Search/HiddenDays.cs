using System.Text;
using LoggingService.Files;
using LoggingService.RoomLogs;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

/// <summary>Follows what is hidden: the days that have a line about it are indexed again.</summary>
internal sealed class HiddenDays(string root, IndexTables tables)
{
    private const char RoomMark = '!';

    /// <summary>Marks the days to index again; returns whether what is hidden has changed since the last call.</summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public bool Mark(HiddenIds hidden)
    {
        var connection = tables.Writer.Connection;
        var before = Keys(connection);
        // The names of rooms' folders begin with the mark, ids with others.
        var now = hidden.Events.Concat(hidden.Users).Concat(hidden.Folders).ToHashSet();
        var changed = now.Except(before).Concat(before.Except(now)).ToList();
        if (changed.Count == 0)
        {
            return false;
        }

        var days = FindDays([.. changed.Where(key => !key.StartsWith(RoomMark)).SelectMany(NeedlesOf)]);
        tables.Writer.InTransaction(() =>
        {
            foreach (var day in days)
            {
                Statement.Run(connection, $"UPDATE day SET offset = {IndexedDay.Stale} WHERE id = {day}");
            }

            Statement.Run(connection, "DELETE FROM hidden");
            using var insert = new Statement(connection, "INSERT INTO hidden(key) VALUES(?1)");
            foreach (var key in now)
            {
                insert.Bind(1, key).Run();
            }
        });
        return true;
    }

    private static HashSet<string> Keys(SqliteConnection connection)
    {
        var keys = new HashSet<string>();
        using var all = new Statement(connection, "SELECT key FROM hidden");
        while (all.Step())
        {
            keys.Add(all.Text(0));
        }

        return keys;
    }

    /// <summary>The rows of the indexed days whose records contain one of the ids.</summary>
    private List<long> FindDays(IReadOnlyList<byte[]> ids)
    {
        var found = new List<long>();
        if (ids.Count == 0)
        {
            return found;
        }

        foreach (var (room, folder) in tables.Rooms.Rooms())
        {
            foreach (var day in tables.Rooms.Days(room).Where(day => day.Offset > 0))
            {
                using var file = DayFile.TryOpen(Path.Combine(root, folder, DayFileName.Record(day.Day).ToString()));
                var lines = file is null ? [] : RecordReader.Lines(file.ReadAt, 0, long.MaxValue);
                if (lines.Any(line => Contains(line.Bytes.Span, ids)))
                {
                    found.Add(day.Id);
                }
            }
        }

        return found;
    }

    /// <summary>An id as it may be in a record.</summary>
    private static IEnumerable<byte[]> NeedlesOf(string id) =>
        ((string[])[id, JsonString.Encode(id)]).Distinct().Select(Encoding.UTF8.GetBytes);

    private static bool Contains(ReadOnlySpan<byte> line, IReadOnlyList<byte[]> needles)
    {
        foreach (var needle in needles)
        {
            if (line.IndexOf(needle) >= 0)
            {
                return true;
            }
        }

        return false;
    }
}
