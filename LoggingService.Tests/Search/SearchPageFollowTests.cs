using LoggingService.Search;
using LoggingService.Tests.Support;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;

namespace LoggingService.Tests.Search;

/// <summary>The process of the pages keeps the index, and what is removed leaves its files and all responses.</summary>
public sealed class SearchPageFollowTests : SearchPageTestBase
{
    private const string Secret = "xyzzysecretword";

    [Theory]
    [InlineData("redacted")]
    [InlineData("erased")]
    [InlineData("hidden")]
    [InlineData("user hidden")]
    [InlineData("day removed")]
    public async Task A_word_that_is_removed_is_in_no_response_and_in_no_file_of_the_index(string how)
    {
        Write(Day.AddDays(-1), Visibility());
        string[] lines =
        [
            Visibility(), Message("$1", "kept word", 1), Message("$2", $"{Secret} word", 2, sender: Bob), Message("$3", "also kept", 3),
        ];
        Write(Day, lines);
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, Secret, $"{Secret} word");
        Assert.True(IndexHas(Secret[2..]));
        switch (how)
        {
            case "redacted":
                Append(Day, Redaction("$4", "$2", 4));
                break;
            case "erased":
                lines[2] = Line(Tea, "$2", Bob, "{}", 2, more: ",\"erased\":true");
                Write(Day, lines);
                break;
            case "hidden":
                new HiddenEvents(Root).Set("event", "$2", isHidden: true);
                break;
            case "user hidden":
                new HiddenEvents(Root).Set("user", Bob, isHidden: true);
                break;
            case "day removed":
                File.Delete(Record(Tea, Day));
                break;
        }

        await UntilFoundAsync(pages, Secret);
        Assert.Contains("Nothing was found.", await SearchAsync(pages, Secret), StringComparison.Ordinal);
        await Wait.UntilAsync(() => !IndexHas(Secret[2..]), "the word has left the files");
        var room = $"/r/{Uri.EscapeDataString(Tea)}";
        foreach (var address in (string[])
            ["/", room, $"{room}/2026/11/23", $"{room}/2026/11/23.txt", $"{room}/2026/11/23.jsonl", $"{room}/feed.atom", "/search?q=word",
            $"{room}/search?q=kept", $"{room}/search?q=from:bob"])
        {
            Assert.DoesNotContain(Secret, (await GetAsync(pages, address)).Body, StringComparison.OrdinalIgnoreCase);
        }

        if (how is "hidden" or "user hidden")
        {
            new HiddenEvents(Root).Set("event", "$2", isHidden: false);
            new HiddenEvents(Root).Set("user", Bob, isHidden: false);
            await UntilFoundAsync(pages, Secret, $"{Secret} word");
        }
    }

    [Fact]
    public async Task A_hidden_event_is_off_the_search_before_the_index_follows()
    {
        Write(Day, Visibility(), Message("$1", "tea one", 1), Message("$2", "tea two", 2), Message("$3", "tea three", 3));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "tea", "tea three", "tea two", "tea one");
        using (var blocked = OpenIndex())
        {
            Statement.Run(blocked, "BEGIN IMMEDIATE");
            new HiddenEvents(Root).Set("event", "$2", isHidden: true);
            await UntilFoundAsync(pages, "tea", "tea three", "tea one");
            var page = await SearchAsync(pages, "three");
            Assert.DoesNotContain("tea two", page, StringComparison.Ordinal);
            Assert.Contains("2 results", await SearchAsync(pages, "tea"), StringComparison.Ordinal);
            Assert.Contains("Nothing was found.", await SearchAsync(pages, "two"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_hidden_user_is_out_of_the_counts_before_the_index_follows()
    {
        Write(
            Day,
            [
                Visibility(), .. Enumerable.Range(0, 30).Select(i => Message($"$a{i}", "tea", i)),
                .. Enumerable.Range(0, 5).Select(i => Message($"$b{i}", "tea", i, sender: Bob)),
            ]);
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await Wait.UntilAsync(
            async () => (await SearchAsync(pages, "tea")).Contains(">About 35 results<", StringComparison.Ordinal), "the index");
        using var blocked = OpenIndex();
        Statement.Run(blocked, "BEGIN IMMEDIATE");
        new HiddenEvents(Root).Set("user", Bob, isHidden: true);
        await Wait.UntilAsync(
            async () => (await SearchAsync(pages, "tea")).Contains(">About 30 results<", StringComparison.Ordinal),
            "the user is not counted");
    }

    [Fact]
    public async Task While_the_index_is_built_the_page_says_so()
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        Index();
        Append(Day, Message("$2", "more tea", 2));
        Write(Day.AddDays(1), Message("$3", "tea again", 3, Day.AddDays(1)));
        var blocked = OpenIndex();
        Statement.Run(blocked, "BEGIN IMMEDIATE");
        await using var pages = await PagesUnderTest.StartAsync(Root);
        var page = await SearchAsync(pages, "tea");
        Assert.Contains("The index for searches is being built, so that results are missing.<", page, StringComparison.Ordinal);
        Assert.Equal(["tea"], HitsOf(page));
        await blocked.DisposeAsync();
        await UntilFoundAsync(pages, "tea", "tea again", "more tea", "tea");
        Assert.DoesNotContain("being built", await SearchAsync(pages, "tea"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("overwritten")]
    [InlineData("torn")]
    [InlineData("deleted")]
    public async Task An_index_that_is_damaged_while_the_pages_run_is_built_again(string fault)
    {
        Write(Day, Enumerable.Range(0, 5000).Select(i => Message($"${i}", $"tea {i}", i)).Prepend(Visibility()));
        Index();
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "4321", "tea 4321");
        var path = SearchDatabase.PathOf(Root);
        if (fault == "deleted")
        {
            File.Delete(path);
        }
        else
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (fault == "torn")
            {
                file.SetLength(file.Length / 2);
            }
            else
            {
                file.Position = 4096;
                file.Write(Enumerable.Repeat((byte)0xA5, (int)file.Length - 8192).ToArray());
            }
        }

        SqliteConnection.ClearAllPools();
        Append(Day, Message("$new", "fresh tea", 6000));
        await UntilFoundAsync(pages, "fresh", "fresh tea");
        await UntilFoundAsync(pages, "4321", "tea 4321");
    }

    [Fact]
    public async Task A_day_that_is_compressed_is_found_as_before()
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        Write(Day.AddDays(1), Message("$2", "coffee", 2, Day.AddDays(1)));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "tea", "tea");
        Compress(Day);
        await Wait.UntilAsync(() => pages.Rooms.Find(Reader.Anonymous, Tea)?.FactsOf(Day)?.Stamp.Length < 1000, "the day is followed");
        await UntilFoundAsync(pages, "tea", "tea");
    }

    private SqliteConnection OpenIndex()
    {
        var connection = new SqliteConnection($"Data Source={SearchDatabase.PathOf(Root)};Pooling=False");
        connection.Open();
        Statement.Run(connection, "PRAGMA busy_timeout=5000");
        return connection;
    }
}
