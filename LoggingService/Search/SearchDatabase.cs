using LoggingService.Files;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace LoggingService.Search;

/// <summary>
/// The file <c>logs/.index/search.db</c>. It is derived from the records: where it is missing, damaged or of another version, it is built
/// from them.
/// </summary>
internal static class SearchDatabase
{
    /// <summary>Of the tables and of what is written into them. Another version is built again.</summary>
    private const int Version = 4;
    private const int BusyMilliseconds = 5000;
    private const int PageSize = 8192;

    /// <summary>Of the index of words: with what SQLite adds to it, a row fills a page.</summary>
    private const int WordsPageSize = 8144;

    // Marks belong to words, and symbols are words.
    public const string Tokenizer = "tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc So'\"";

    // Contentless: the words without the texts, which are read from the records. Starts of three letters have an index of their own:
    // without it, all events with one of many words are sorted before the newest is found. Two letters would need a quarter more space.
    private const string Schema =
        """
        CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, prefix='3', $tokenizer);
        CREATE TABLE hit(row INTEGER PRIMARY KEY, day INTEGER, offset INTEGER, line INTEGER, sender INTEGER);
        CREATE TABLE room(id INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE);
        CREATE TABLE sender(id INTEGER PRIMARY KEY, user TEXT NOT NULL UNIQUE);
        CREATE TABLE day(id INTEGER PRIMARY KEY, room INTEGER NOT NULL, day INTEGER NOT NULL,
            device INTEGER NOT NULL DEFAULT 0, inode INTEGER NOT NULL DEFAULT 0, length INTEGER NOT NULL DEFAULT 0,
            modified INTEGER NOT NULL DEFAULT 0, offset INTEGER NOT NULL DEFAULT 0, lines INTEGER NOT NULL DEFAULT 0,
            chain INTEGER NOT NULL DEFAULT 0, tail INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 0,
            last INTEGER NOT NULL DEFAULT 0, UNIQUE(room, day));
        CREATE TABLE relation(room INTEGER, target INTEGER, day INTEGER, offset INTEGER, kind INTEGER, row INTEGER,
            PRIMARY KEY(room, target, day, offset)) WITHOUT ROWID;
        CREATE INDEX relation_pending ON relation(room) WHERE row IS NULL;
        CREATE TABLE hidden(key TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE property(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
        """;

    public static string PathOf(string root) => Path.Combine(root, HiddenEvents.FolderName, "search.db");

    /// <summary>
    /// Opens the index to write to it, and creates it where it is missing or of another version. The caller holds the lock
    /// (<see cref="IndexLock"/>).
    /// </summary>
    /// <exception cref="SqliteException">It can't be opened; <see cref="IsDamage"/> tells whether it must be deleted.</exception>
    public static SqliteConnection OpenToWrite(string root)
    {
        var path = PathOf(root);
        CreateFile(path);
        var connection = Open(path, SqliteOpenMode.ReadWrite, isPooled: false);
        try
        {
            var version = Statement.Value(connection, "PRAGMA user_version");
            if (version is not (0 or Version))
            {
                connection.Dispose();
                Delete(root);
                return OpenToWrite(root);
            }

            if (version == 0)
            {
                Statement.Run(connection, $"PRAGMA page_size={PageSize}");

                // So that the file can shrink.
                Statement.Run(connection, "PRAGMA auto_vacuum=INCREMENTAL");
            }

            // What is deleted is overwritten with zeros, and nothing is written to temporary files.
            Statement.Run(connection, "PRAGMA secure_delete=ON");
            Statement.Run(connection, "PRAGMA temp_store=MEMORY");
            Statement.Run(connection, "PRAGMA journal_mode=WAL");
            Statement.Run(connection, "PRAGMA synchronous=NORMAL");
            Statement.Run(connection, "PRAGMA cache_size=-16384");
            if (version == 0)
            {
                Create(connection);
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens the index to read it; <c>null</c> if there is none of this version.</summary>
    /// <exception cref="SqliteException">It is damaged.</exception>
    public static SqliteConnection? TryOpenToRead(string root)
    {
        var path = PathOf(root);
        if (!File.Exists(path))
        {
            return null;
        }

        var connection = Open(path, SqliteOpenMode.ReadOnly, isPooled: true);
        if (Statement.Value(connection, "PRAGMA user_version") == Version)
        {
            return connection;
        }

        connection.Dispose();
        return null;
    }

    /// <summary>Reads all pages of the file, and the structure of the index of words.</summary>
    /// <exception cref="SqliteException">It is damaged.</exception>
    public static void Check(SqliteConnection connection)
    {
        using (var check = new Statement(connection, "PRAGMA quick_check(1)"))
        {
            if (!check.Step() || check.Text(0) != "ok")
            {
                throw new SqliteException("The index is damaged", raw.SQLITE_CORRUPT);
            }
        }

        Statement.Run(connection, "INSERT INTO words(words) VALUES('integrity-check')");
    }

    /// <summary>Whether the index must be built again.</summary>
    public static bool IsDamage(SqliteException e) =>
        e.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_ERROR or raw.SQLITE_FORMAT or raw.SQLITE_SCHEMA;

    /// <summary>What can happen to the files, or that SQLite's library is not next to the program.</summary>
    public static bool IsExpected(Exception e) => e is
        SqliteException or IOException or UnauthorizedAccessException or DllNotFoundException or TypeInitializationException;

    /// <summary>Deletes the index; searches that run end with what they have opened.</summary>
    public static void Delete(string root)
    {
        CloseReaders(root);
        var path = PathOf(root);
        foreach (var suffix in (string[])["-wal", "-shm", "-journal", ""])
        {
            File.Delete(path + suffix);
        }
    }

    /// <summary>Closes the connections of searches that have ended.</summary>
    public static void CloseReaders(string root)
    {
        using var pooled = new SqliteConnection(ConnectionString(PathOf(root), SqliteOpenMode.ReadOnly, isPooled: true));
        SqliteConnection.ClearPool(pooled);
    }

    /// <summary>The files next to it get its mode.</summary>
    private static void CreateFile(string path)
    {
        Posix.CreateFolder(Path.GetDirectoryName(path)!);
        Posix.OpenOrCreate(path).Dispose();
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode, bool isPooled)
    {
        var connection = new SqliteConnection(ConnectionString(path, mode, isPooled));
        connection.Open();

        // After a crash of the writer, the first one to open it recovers it.
        raw.sqlite3_busy_timeout(connection.Handle, BusyMilliseconds);
        return connection;
    }

    private static string ConnectionString(string path, SqliteOpenMode mode, bool isPooled) =>
        new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = isPooled }.ToString();

    private static void Create(SqliteConnection connection)
    {
        Statement.Run(connection, "BEGIN IMMEDIATE");
        foreach (var statement in Schema.Replace("$tokenizer", Tokenizer).Split(";\n", StringSplitOptions.RemoveEmptyEntries))
        {
            Statement.Run(connection, statement);
        }

        Statement.Run(connection, $"INSERT INTO words(words, rank) VALUES('pgsz', {WordsPageSize})");

        // A batch is one segment of the index of words, and few of them are merged while it is built.
        Statement.Run(connection, "INSERT INTO words(words, rank) VALUES('hashsize', 33554432)");
        Statement.Run(connection, "INSERT INTO words(words, rank) VALUES('automerge', 8)");
        Statement.Run(connection, $"PRAGMA user_version={Version}");
        Statement.Run(connection, "COMMIT");
    }
}
