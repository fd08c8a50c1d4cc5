using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

/// <summary>
/// Removes deleted words from the files of the index. A deletion only marks the row: the words stay until the index of words is merged, and
/// their pages in the write-ahead log until that is truncated. FTS5's option <c>secure-delete</c> is for indexes that have the texts: in
/// this one, which has none, the words stay all the same (SQLite 3.53).
/// </summary>
internal static class IndexPurge
{
    private const long Requested = 1;
    private const long Merged = 2;

    /// <summary>So many new events are merged, which makes the index smaller, and searches faster.</summary>
    private const long ManyEvents = 100_000;

    /// <summary>Notes that words must leave, in the transaction that deletes them.</summary>
    public static void Request(SqliteConnection connection) => Set(connection, Requested);

    /// <summary>Notes that the index was built, and should be merged.</summary>
    public static void RequestMerge(IndexWriter writer)
    {
        if (writer.Events >= ManyEvents)
        {
            Request(writer.Connection);
        }
    }

    public static bool IsNeeded(SqliteConnection connection) => State(connection) != 0;

    /// <summary>Returns whether the words have left; otherwise a search still reads them, and the call must be repeated.</summary>
    public static bool Run(IndexWriter writer)
    {
        var connection = writer.Connection;
        if (State(connection) == Requested)
        {
            writer.InTransaction(() =>
            {
                Statement.Run(connection, "DELETE FROM sender WHERE id NOT IN (SELECT sender FROM hit)");
                Statement.Run(connection, "INSERT INTO words(words) VALUES('optimize')");
                Set(connection, Merged);
            });
            writer.ForgetSenders();
            Statement.Run(connection, "PRAGMA incremental_vacuum");
        }

        using (var checkpoint = new Statement(connection, "PRAGMA wal_checkpoint(TRUNCATE)"))
        {
            var isBusy = !checkpoint.Step() || checkpoint.Integer(0) != 0;
            checkpoint.Reset();
            if (isBusy)
            {
                return false;
            }
        }

        Set(connection, 0);
        return true;
    }

    private static long State(SqliteConnection connection) =>
        Statement.Value(connection, "SELECT value FROM property WHERE name = 'purge'") ?? 0;

    private static void Set(SqliteConnection connection, long state) =>
        Statement.Run(connection, $"INSERT OR REPLACE INTO property VALUES('purge', {state})");
}
