using LoggingService.Rendering;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>An event that was found, as a reader may see it.</summary>
/// <param name="Text">As it is now.</param>
/// <param name="Marks">What is highlighted in the text.</param>
/// <param name="Before">The event before it, if there is one nearby.</param>
internal sealed record FoundEvent(
    RoomVisibility Room, VisibleEvent Event, string Text, IReadOnlyList<Range> Marks, FoundNeighbour? Before, FoundNeighbour? After);

internal sealed record FoundNeighbour(VisibleEvent Event, string Text);

/// <summary>A page of what was found, newest first.</summary>
/// <param name="Count">How many there are in all; <c>null</c> for a later page.</param>
/// <param name="IsExact">All of them were read; otherwise the index counts some that were removed since it followed.</param>
/// <param name="HasMoreThanCount">There are, or may be, more than the count.</param>
/// <param name="Next">Where the next page begins; <c>null</c> if there is none.</param>
/// <param name="IsAvailable">Otherwise there is no index yet.</param>
/// <param name="IsComplete">Otherwise the search took too long.</param>
internal sealed record FoundPage(
    IReadOnlyList<FoundEvent> Events, int? Count, bool IsExact, bool HasMoreThanCount, long? Next, bool IsAvailable, bool IsComplete);

/// <summary>
/// Searches for a reader. The index only tells where to look: each event that it finds is read from the record as the reader may see it,
/// and must match as it is then.
/// </summary>
internal sealed class VisibleSearch(SearchIndex index)
{
    /// <summary>How often the index is searched for a page: events may have been removed since they were indexed.</summary>
    private const int MaxRounds = 5;

    /// <param name="rooms">The rooms to search, of those that the reader may see.</param>
    /// <param name="before">Where a later page begins; <c>null</c> for the first one.</param>
    /// <param name="cancellation">Ends the search with what was found until then.</param>
    /// <param name="readCancellation">Ends the reading of what was found: the next page begins with what was not read.</param>
    public FoundPage Find(
        Reader reader, IReadOnlyCollection<RoomVisibility> rooms, SearchQuery query, long? before, int limit,
        CancellationToken cancellation, CancellationToken readCancellation)
    {
        var searched = rooms.Select(room => SearchedRoom.Of(reader, room)).ToList();
        var results = index.Search(query, searched, before, limit, cancellation);
        var found = new List<FoundEvent>();
        var count = results.Count;
        var hasMore = results.HasMoreThanCount || !results.IsComplete;
        if (results.Hits.Count > 0)
        {
            using var reading = new HitReading(index, reader, rooms, query);
            count -= Read(reading, ref results, found, readCancellation);
            for (var round = 1; round < MaxRounds && found.Count < limit && results.Next is { } next && results.IsComplete; round++)
            {
                results = index.Search(query, searched, next, limit - found.Count, cancellation);
                count -= Read(reading, ref results, found, readCancellation);
            }
        }

        var isAll = results.Next is null && results.IsComplete;
        return new(
            found, before is null ? (isAll ? found.Count : Math.Max(count, found.Count)) : null, isAll, !isAll && hasMore, results.Next,
            results.IsAvailable, results.IsComplete);
    }

    /// <summary>Adds what can be shown; returns how many can't.</summary>
    /// <param name="results">Are complete only if all of them were read.</param>
    private static int Read(HitReading reading, ref SearchResults results, List<FoundEvent> found, CancellationToken cancellation)
    {
        var hidden = 0;
        foreach (var hit in results.Hits)
        {
            if (cancellation.IsCancellationRequested)
            {
                results = results with { Next = hit.Row + 1, IsComplete = false };
                break;
            }

            if (reading.Read(hit) is { } shown)
            {
                found.Add(shown);
            }
            else
            {
                hidden++;
            }
        }

        return hidden;
    }

    /// <summary>Reads what was found by one search.</summary>
    private sealed class HitReading(SearchIndex index, Reader reader, IReadOnlyCollection<RoomVisibility> rooms, SearchQuery query)
        : IDisposable
    {
        private readonly Highlighter _highlighter = new(query);
        private readonly Dictionary<string, RoomVisibility> _rooms = rooms.ToDictionary(room => room.FolderName);

        public FoundEvent? Read(SearchHit hit)
        {
            var room = _rooms[hit.Folder];
            var place = new EventPlace(hit.Day, hit.Inode, hit.Place.Offset, hit.Place.Line);
            if (EventsAround.Read(room, reader, place, 1, SearchableText.MayHave) is not { } around
                || around.Event.Event.Sender != hit.Sender
                || TextOf(room, around.Event) is not { } text
                || (text.Kinds & query.Kinds) != query.Kinds
                || !_highlighter.Matches(text.Text))
            {
                return null;
            }

            return new(
                room, around.Event, text.Text, _highlighter.Find(text.Text), NeighbourOf(room, around.Before),
                NeighbourOf(room, around.After));
        }

        public void Dispose() => _highlighter.Dispose();

        private FoundNeighbour? NeighbourOf(RoomVisibility room, IReadOnlyList<VisibleEvent> found) =>
            found.Count > 0 && TextOf(room, found[0]) is { } text ? new(found[0], text.Text) : null;

        /// <summary>The text of an event as it was last edited, as far as the reader may see the edits.</summary>
        private SearchableText? TextOf(RoomVisibility room, VisibleEvent e)
        {
            var edit = index.FindEdits(room.FolderName, e.Event.EventId)
                .Select(place => EventsAround.Read(room, reader, place, 0, _ => false)?.Event)
                .FirstOrDefault(edit => edit is not null && Relation.IsValidEdit(edit.Event, e.Event));
            return SearchableText.Read(e.Event, edit is null ? e.Event.Content : edit.Event.Content["m.new_content"u8], hasFallback: false);
        }
    }
}
