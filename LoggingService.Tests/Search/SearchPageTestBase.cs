using System.Net;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Search;

/// <summary>Records of rooms whose history is public, and the pages that search them.</summary>
public abstract partial class SearchPageTestBase : SearchTestBase
{
    private int _requests;

    /// <summary>The first line of a record: from here on, who may read the history of a room.</summary>
    protected static string Visibility(string visibility = "world_readable", string room = Tea, int second = 0) => Line(
        room, $"$visible{room}{second}", Alice, $"{{\"history_visibility\":\"{visibility}\"}}", second,
        type: "m.room.history_visibility", more: ",\"state_key\":\"\"");

    /// <summary>Searches as another reader each time: searches of one address are limited.</summary>
    private protected async Task<PagesUnderTest.PageResponse> GetAsync(PagesUnderTest pages, string address)
    {
        var reader = Interlocked.Increment(ref _requests);
        return await pages.GetAsync(address, ("X-Forwarded-For", $"10.1.{reader / 250}.{reader % 250}"));
    }

    /// <param name="room">Its path, such as <c>/r/logged_tea</c>; empty for all rooms.</param>
    private protected async Task<string> SearchAsync(PagesUnderTest pages, string query, string room = "")
    {
        var response = await GetAsync(pages, $"{room}/search?q={Uri.EscapeDataString(query)}");
        Assert.Equal(HttpStatusCode.OK, response.Status);
        return response.Body;
    }

    /// <summary>The texts of what was found.</summary>
    protected static IReadOnlyList<string> HitsOf(string page) =>
        [.. Hit().Matches(page).Select(hit => WebUtility.HtmlDecode(Tag().Replace(hit.Groups[1].Value, "")))];

    /// <summary>Waits until a search finds exactly these texts, newest first.</summary>
    private protected Task UntilFoundAsync(PagesUnderTest pages, string query, params string[] texts) => Wait.UntilAsync(
        async () => HitsOf(await SearchAsync(pages, query)).SequenceEqual(texts), $"{query} finds {string.Join(", ", texts)}");

    [GeneratedRegex("<div class=\"hit\">.*?<span class=\"text\" dir=\"auto\">(.*?)</span></p>", RegexOptions.Singleline)]
    private static partial Regex Hit();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
