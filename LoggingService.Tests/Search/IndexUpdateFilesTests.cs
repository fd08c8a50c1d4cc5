using LoggingService.Search;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;

namespace LoggingService.Tests.Search;

/// <summary>An update of the index keeps few records open: there may be more rooms than a process may open files.</summary>
public sealed class IndexUpdateFilesTests : SearchTestBase
{
    [Fact]
    public void A_room_whose_days_wait_to_be_indexed_keeps_no_record_open()
    {
        Write(Day, Message("$1", "tea", 1, sender: Bob), Ban("$2", Bob, 2));
        using var tables = IndexTables.Open(Root);
        using var room = new RoomIndexing(tables, Root, Tea, HiddenIds.None, Assert.Fail);
        room.Start();
        Assert.Empty(OpenRecords());

        room.IndexDay(Day, CancellationToken.None);
        room.Finish();
        Assert.Empty(Find("tea"));
    }

    [Fact]
    public void An_update_that_fails_leaves_no_record_open()
    {
        Write(Day, Message("$1", "coffee", 1));
        using var tables = IndexTables.Open(Root);
        var update = new IndexUpdate(Root, tables, Assert.Fail);
        Index(update, tables);

        // The edit is applied at the end of the update, from its record.
        Append(Day, Edit("$2", "$1", "tea", 2));
        Statement.Run(tables.Writer.Connection, "CREATE TRIGGER fail BEFORE DELETE ON hit BEGIN SELECT RAISE(ABORT, 'full'); END");
        Assert.Throws<SqliteException>(() => Index(update, tables));
        Assert.Empty(OpenRecords());

        Statement.Run(tables.Writer.Connection, "DROP TRIGGER fail");
        Index(update, tables);
        Assert.Equal(["$1"], Find("tea"));
    }

    /// <summary>The records of the room that this process has open.</summary>
    private IEnumerable<string> OpenRecords() => new DirectoryInfo("/proc/self/fd").EnumerateFiles()
        .Select(file => file.LinkTarget)
        .OfType<string>()
        .Where(path => path.StartsWith(Path.Combine(Root, Tea), StringComparison.Ordinal));
}
