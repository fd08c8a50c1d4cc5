using System.Globalization;
using LoggingService.Rendering;
using LoggingService.Search;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <param name="MaxTime">A search that takes longer ends with what was found.</param>
internal sealed record SearchLimits(TimeSpan MaxTime)
{
    public static SearchLimits Default { get; } = new(TimeSpan.FromSeconds(1));
}

/// <summary>The pages of searches: in all rooms that the reader may see, or in one.</summary>
internal sealed class SearchPages(
    VisibleRooms rooms, VisibleSearch search, IndexMaintenance index, PageRenderer renderer, PageLinks links, SearchLimits limits,
    TimeZoneInfo zone)
{
    private const int HitsPerPage = 20;

    private readonly Text _text = renderer.Text;

    /// <param name="room">Where to search; <c>null</c> for all rooms.</param>
    public async Task WriteAsync(HttpContext http, Reader reader, RoomVisibility? room)
    {
        var typed = http.Request.Query["q"].FirstOrDefault() ?? "";
        typed = typed.Length <= SearchQueryParser.MaxLength ? typed : typed[..SearchQueryParser.MaxLength];
        var query = SearchQueryParser.Parse(typed);
        var searched = room is null ? rooms.All(reader).ToList() : [room];
        using var limit = new CancellationTokenSource(limits.MaxTime);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, limit.Token);
        using var readingLimit = new CancellationTokenSource(2 * limits.MaxTime);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, readingLimit.Token);
        var found = search.Find(reader, searched, query, PositionOf(http), HitsPerPage, timeout.Token, reading.Token);
        var model = new SearchModel(
            _text, links, room, typed, query.IsEmpty ? null : found, [.. Notes(reader, typed, query, searched, found)],
            [.. found.Events.Select(RowOf)], RoomPages.ZoneOf(DateOnly.FromDateTime(DateTime.UtcNow), zone));
        http.Response.Headers.CacheControl = "no-cache";
        var title = room is null ? _text.Search : $"{PageFrame.RoomTitleOf(room)} · {_text.Search}";
        await renderer.WriteAsync(
            http, StatusCodes.Status200OK, title, room, new AspNetCoreGeneratedDocument.Pages_SearchPage { Model = model }, typed);
    }

    private static long? PositionOf(HttpContext http) =>
        long.TryParse(http.Request.Query["before"].FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var row)
            ? row
            : null;

    /// <summary>What the reader should know about the query and the index.</summary>
    private IEnumerable<string> Notes(
        Reader reader, string typed, SearchQuery query, IReadOnlyList<RoomVisibility> searched, FoundPage found)
    {
        if (!rooms.IsReady)
        {
            yield return _text.Starting;
        }

        if (typed.Length == SearchQueryParser.MaxLength)
        {
            yield return _text.QueryTooLong(SearchQueryParser.MaxLength);
        }

        var ignored = query.Ignored.Where(part => part != SearchQueryParser.Cut).ToList();
        if (ignored.Count > 0)
        {
            yield return $"{_text.NotUnderstood} {string.Join(" ", ignored)}";
        }

        foreach (var name in query.In.Where(name => !searched.Any(room => SearchedRoom.Of(reader, room).IsNamed(name))))
        {
            yield return $"{_text.NoSuchRoom} {name}";
        }

        if (index.IsBuilding)
        {
            yield return _text.IndexIsBuilt;
        }
        else if (!query.IsEmpty && !found.IsAvailable)
        {
            index.RequestCheck();
            yield return _text.SearchUnavailable;
        }

        if (query.From.Count > 0 && found is { IsAvailable: true, IsComplete: true, Events.Count: 0 })
        {
            yield return _text.FromIsUserId;
        }

        if (found is { IsAvailable: true, IsComplete: false })
        {
            yield return _text.SearchTookTooLong;
        }
    }

    private SearchRow RowOf(FoundEvent found) => new(
        LineOf(found.Room, found.Event, SearchExcerpt.Create(found.Text, found.Marks)),
        found.Room,
        found.Before is { } before ? LineOf(found.Room, before.Event, SearchExcerpt.Create(before.Text, [])) : null,
        found.After is { } after ? LineOf(found.Room, after.Event, SearchExcerpt.Create(after.Text, [])) : null);

    private SearchLine LineOf(RoomVisibility room, VisibleEvent e, HtmlString text)
    {
        var id = e.Event.Sender ?? "?";
        var name = room.NameOf(id, e.Position) is { } known && !string.IsNullOrWhiteSpace(known) ? known : id;
        return new(links.Event(room, e.Event.EventId), LogLine.Time(e.Event, zone), new(name, id), text);
    }
}
