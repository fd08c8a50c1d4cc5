using LoggingService.Files;
using LoggingService.Search;
using LoggingService.Tests.Support;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Search;

/// <summary>The index follows the records, and survives what happens to both.</summary>
public sealed class IndexUpdateTests : SearchTestBase
{
    private static readonly DateOnly Next = Day.AddDays(1);

    [Fact]
    public void New_lines_and_days_are_followed_and_an_unfinished_line_is_not()
    {
        Write(Day, Message("$1", "tea", 1));
        using var tables = IndexTables.Open(Root);
        var update = new IndexUpdate(Root, tables, Assert.Fail);
        Index(update, tables);
        Append(Day, Message("$2", "tea", 2));
        Index(update, tables, isFull: false);
        Assert.Equal(["$2", "$1"], Find("tea"));

        var line = Message("$3", "tea", 3);
        File.AppendAllText(Record(Tea, Day), line[..20]);
        Index(update, tables, isFull: false);
        File.AppendAllText(Record(Tea, Day), line[20..] + "\n");
        Write(Next, Message("$4", "tea", 4, Next));
        Index(update, tables, isFull: false);
        Assert.Equal(["$4", "$3", "$2", "$1"], Find("tea"));
        Assert.Equal(4, tables.Writer.Events);
        Assert.Equal([0, 2, 1, 0], Search("tea").Hits.Select(hit => hit.Place.Line));
    }

    [Fact]
    public void A_removal_is_applied_after_a_kill_behind_the_last_indexed_day()
    {
        Write(Day, Message("$1", "secret", 1));
        Index();
        Append(Day, Redaction("$2", "$1", 2));
        using var tables = IndexTables.Open(Root);
        using (var killed = new RoomIndexing(tables, Root, Tea, HiddenIds.None, Assert.Fail))
        {
            killed.Start();
            killed.IndexDay(Day, CancellationToken.None);
            tables.Writer.Commit();
        }

        Assert.Equal(["$1"], Find("secret"));
        Index(new(Root, tables, Assert.Fail), tables);
        Assert.Empty(Find("secret"));
        Assert.False(IndexHas("secret"));
    }

    [Fact]
    public void A_removal_and_an_edit_that_are_written_while_the_index_is_updated_are_applied_by_the_next_update()
    {
        Write(Day, Message("$1", "secret", 1), Message("$2", "coffee", 2));
        using var tables = IndexTables.Open(Root);
        using (var room = new RoomIndexing(tables, Root, Tea, HiddenIds.None, Assert.Fail))
        {
            room.Start();
            Append(Day, Redaction("$3", "$1", 3), Edit("$4", "$2", "tea", 4), Message("$5", "tea", 5));
            room.IndexDay(Day, CancellationToken.None);
            room.Finish();
        }

        Index(new(Root, tables, Assert.Fail), tables);
        Assert.Empty(Find("secret"));
        Assert.False(IndexHas("secret"));
        Assert.Empty(Find("coffee"));
        Assert.Equal(["$5", "$2"], Find("tea"));
    }

    [Fact]
    public void A_compressed_day_is_not_indexed_again()
    {
        Write(Day, Message("$1", "tea", 1), Message("$2", "coffee", 2));
        Index();
        Compress(Day);
        using var tables = IndexTables.Open(Root);
        Index(new(Root, tables, Assert.Fail), tables);
        Assert.Equal(0, tables.Writer.Events);
        Assert.Equal(["$2"], Find("coffee"));
    }

    [Fact]
    public void A_repaired_day_is_indexed_again()
    {
        Write(Day, Message("$1", "tea", 1), Message("$2", "torn", 2), Message("$3", "tea", 3));
        Index();

        // In the same file: cut, and written again in another order.
        using (var record = new FileStream(Record(Tea, Day), FileMode.Open))
        {
            record.SetLength(record.Length - Message("$3", "tea", 3).Length - Message("$2", "torn", 2).Length - 2);
        }

        Append(Day, Message("$3", "tea", 3), Message("$4", "mended", 4), Message("$5", "coffee", 5));
        Index();
        Assert.Equal(["$3", "$1"], Find("tea"));
        Assert.Empty(Find("torn"));
        Assert.Equal(["$4"], Find("mended"));
    }

    [Fact]
    public void A_record_that_cannot_be_read_keeps_no_other_from_being_indexed()
    {
        Write(Day, Message("$1", "tea", 1));
        Write(Next, Message("$2", "tea", 2, Next));
        File.WriteAllBytes(Record(Tea, Day) + ".gz", [0x1f, 0x8b, 1, 2, 3]);
        File.Delete(Record(Tea, Day));
        var errors = new List<string>();
        using (var tables = IndexTables.Open(Root))
        {
            Index(new(Root, tables, errors.Add), tables);
        }

        Assert.Equal(["$2"], Find("tea"));
        Assert.All(errors, error => Assert.StartsWith($"{Tea}/20261123.jsonl: ", error, StringComparison.Ordinal));
        Assert.NotEmpty(errors);

        File.Delete(Record(Tea, Day) + ".gz");
        Write(Day, Message("$1", "tea", 1));
        Index();
        Assert.Equal(["$2", "$1"], Find("tea"));
    }

    [Fact]
    public void A_burst_in_one_second_and_times_that_are_no_times_are_found()
    {
        var lines = Enumerable.Range(0, 3000).Select(i => Message($"${i}", "burst")).ToList();
        Write(Day, lines);
        WriteTo(
            Milk, Day,
            [
                .. Enumerable.Range(3000, 3000).Select(i => Message($"${i}", "burst", room: Milk)),
                .. ((string[])["-1", "0", "9007199254740993", "1e400", "null", "\"x\""]).Select(AtTime),
            ]);
        Index();
        Assert.Equal(6000, Search("burst", limit: 10_000).Hits.Select(IdOf).Distinct().Count());
        Assert.Equal(6, Find("odd").Count);
        Assert.Equal(["$t-1", "$t0"], Find("odd").TakeLast(2).Order());
        Write(Day, lines.Take(1));
        Index();
        Assert.Equal(3001, Search("burst", limit: 10_000).Hits.Count);
    }

    private static string AtTime(string time) =>
        "{\"content\":{\"body\":\"odd\"},\"event_id\":\"$t" + time.Trim('"') + "\",\"origin_server_ts\":" + time
        + ",\"room_id\":\"" + Milk + "\",\"sender\":\"@a:x\",\"type\":\"m.room.message\",\"received_ts\":1795461611000}";

    [Fact]
    public async Task A_build_that_is_killed_is_continued()
    {
        const int Events = 120_000;
        foreach (var i in Enumerable.Range(0, 4))
        {
            var day = Day.AddDays(i);
            Write(day, Enumerable.Range(0, Events / 4).Select(n => Message($"${i}.{n}", $"tea number {n} edited", n / 10, day)));
        }

        Write(Day.AddDays(4), Edit("$e", "$1.7", "changed", 1, Day.AddDays(4)), Redaction("$r", "$0.9", 2, Day.AddDays(4)));
        for (var kills = 0; ; kills++)
        {
            await using var process = ServiceProcess.Start(Root, "index", "--logs", Root);
            if (kills == 5)
            {
                Assert.True(await process.WaitForExitAsync() == 0, string.Join('\n', process.Output));
                break;
            }

            var end = DateTime.UtcNow.AddSeconds(20);
            while (!process.HasExited && Rows() < Events * (kills + 1) / 6 && DateTime.UtcNow < end)
            {
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            await process.KillAsync();
        }

        Assert.Equal(Events - 1, Rows());
        Assert.Equal(Events - 2, Number("SELECT count(*) FROM words('edited')"));
        Assert.Equal(["$1.7"], Find("changed"));
        Assert.DoesNotContain("$0.9", Find("\"number 9\""));

        long Rows() => File.Exists(SearchDatabase.PathOf(Root)) ? Number("SELECT count(*) FROM hit") : 0;
    }

    [Theory]
    [InlineData("torn")]
    [InlineData("overwritten")]
    [InlineData("deleted")]
    [InlineData("folder deleted")]
    [InlineData("no database")]
    [InlineData("old version")]
    public async Task A_damaged_or_missing_index_is_built_again(string fault)
    {
        Write(Day, Enumerable.Range(0, 5000).Select(i => Message($"${i}", $"tea {i}", i)));
        Index();
        var path = SearchDatabase.PathOf(Root);
        SqliteConnection.ClearAllPools();
        switch (fault)
        {
            case "torn":
                Posix.Truncate(path, new FileInfo(path).Length / 2);
                break;
            case "overwritten":
                using (var file = new FileStream(path, FileMode.Open))
                {
                    file.Position = 4096;
                    file.Write(Enumerable.Repeat((byte)0xA5, (int)file.Length - (3 * 4096)).ToArray());
                }

                break;
            case "deleted":
                File.Delete(path);
                break;
            case "folder deleted":
                Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
                break;
            case "no database":
                await File.WriteAllTextAsync(path, new string('x', 10_000), TestContext.Current.CancellationToken);
                break;
            case "old version":
                using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
                {
                    connection.Open();
                    Statement.Run(connection, "PRAGMA user_version=99");
                }

                break;
        }

        using var maintenance = new IndexMaintenance(Root, NullLogger.Instance);
        await maintenance.StartAsync(TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => Find("4321").Count == 1 && Search("tea").Count == 1000, "the index");
        await maintenance.StopAsync(TestContext.Current.CancellationToken);
        Assert.False(maintenance.IsBuilding);
    }

    [Fact]
    public async Task An_index_that_vanishes_while_it_is_followed_is_built_again_and_a_request_is_followed()
    {
        Write(Day, Message("$1", "tea", 1));
        using var maintenance = new IndexMaintenance(Root, NullLogger.Instance);
        await maintenance.StartAsync(TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => Find("tea").Count == 1, "the first event");
        foreach (var suffix in (string[])["", "-wal", "-shm"])
        {
            File.Delete(SearchDatabase.PathOf(Root) + suffix);
        }

        Append(Day, Message("$2", "tea", 2));
        await Wait.UntilAsync(() => Find("tea").Count == 2, "the second event");

        await using var process = ServiceProcess.Start(Root, "index", "--rebuild", "--logs", Root);
        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Equal(["Another process keeps the index up to date: it builds it again now"], process.StandardOutput);
        await Wait.UntilAsync(() => !File.Exists(Path.Combine(Root, ".index", "rebuild")) && Find("tea").Count == 2, "the rebuild");
        await maintenance.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_command_updates_and_rebuilds_the_index_and_keeps_what_is_hidden()
    {
        Write(Day, Message("$1", "tea", 1), Message("$2", "tea", 2));
        new HiddenEvents(Root).Set("event", "$1", isHidden: true);
        Assert.Equal(["Indexed 1 event of 1 room"], await RunAsync());
        Append(Day, Message("$3", "tea", 3));
        Assert.Equal(["Indexed 1 event of 1 room"], await RunAsync());
        Assert.Equal(["$3", "$2"], Find("tea"));
        Assert.Equal(["Indexed 2 events of 1 room"], await RunAsync("--rebuild"));
        Assert.Equal(["$3", "$2"], Find("tea"));
        Assert.Equal(["Indexed 0 events of 1 room"], await RunAsync());
        new HiddenEvents(Root).Set("event", "$1", isHidden: false);
        await RunAsync();
        Assert.Equal(["$3", "$2", "$1"], Find("tea"));
    }

    private async Task<IReadOnlyList<string>> RunAsync(params string[] arguments)
    {
        await using var process = ServiceProcess.Start(Root, ["index", .. arguments, "--logs", Root]);
        Assert.True(await process.WaitForExitAsync() == 0, string.Join('\n', process.Output));
        Assert.Empty(process.StandardError);
        return process.StandardOutput;
    }

    private long Number(string sql)
    {
        using var connection = SearchDatabase.TryOpenToRead(Root);
        return connection is null ? 0 : Statement.Value(connection, sql) ?? 0;
    }
}
