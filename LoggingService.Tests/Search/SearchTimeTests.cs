using LoggingService.Pages;
using LoggingService.Search;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Search;

/// <summary>A search that takes too long ends.</summary>
public sealed class SearchTimeTests : SearchPageTestBase
{
    [Fact]
    public async Task The_page_says_that_a_search_took_too_long()
    {
        Write(Day, Visibility(), Message("$1", "tea", 1));
        await using var pages = await PagesUnderTest.StartAsync(Root, new SearchLimits(TimeSpan.Zero));
        await pages.UntilIndexedAsync();
        var page = await SearchAsync(pages, "tea");
        Assert.Contains("The search took too long, so that older results may be missing.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing was found.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("More than 0", page, StringComparison.Ordinal);
        Assert.Empty(HitsOf(page));

        await using var others = await PagesUnderTest.StartAsync(Root, new SearchLimits(TimeSpan.FromHours(1)));
        await UntilFoundAsync(others, "tea", "tea");
        Assert.DoesNotContain("took too long", await SearchAsync(others, "tea"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_there_was_no_time_to_read_is_on_the_next_page()
    {
        Write(Day, Visibility(), Message("$1", "tea one", 1), Message("$2", "tea two", 2));
        await using var pages = await PagesUnderTest.StartAsync(Root);
        await UntilFoundAsync(pages, "tea", "tea two", "tea one");
        var search = new VisibleSearch(new(Root, TimeZoneInfo.Utc));
        var cut = Search(null, new CancellationToken(canceled: true));
        Assert.Empty(cut.Events);
        Assert.False(cut.IsComplete);
        var rest = Search(cut.Next, CancellationToken.None);
        Assert.Equal(["tea two", "tea one"], rest.Events.Select(found => found.Text));
        Assert.True(rest.IsComplete);
        Assert.Null(rest.Next);

        FoundPage Search(long? before, CancellationToken reading) => search.Find(
            Reader.Anonymous, [.. pages.Rooms.All(Reader.Anonymous)], SearchQueryParser.Parse("tea"), before, limit: 20,
            CancellationToken.None, reading);
    }

    [Fact]
    public void A_search_that_is_interrupted_has_what_was_found_until_then()
    {
        Write(Day, Enumerable.Range(0, 100).Select(i => Message($"${i}", "tea", i)));
        Index();
        using var source = new CancellationTokenSource();
        var seen = 0;
        var room = new SearchedRoom(Tea, [Tea], _ =>
        {
            if (++seen == 10)
            {
                source.Cancel();
            }

            return true;
        });
        var index = new SearchIndex(Root, TimeZoneInfo.Utc);
        var found = index.Search(SearchQueryParser.Parse("tea"), [room], before: null, limit: 50, source.Token);
        Assert.False(found.IsComplete);
        Assert.Equal(Enumerable.Range(90, 10).Reverse().Select(i => $"${i}"), found.Hits.Select(IdOf));
        Assert.Equal(10, seen);

        // The next one is not.
        Assert.Equal(100, Search("tea").Hits.Count);
    }
}
