using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>What was added to the messages of a day on later days: edits, reactions, votes, removals.</summary>
internal static class LaterEvents
{
    /// <summary>What was added on still more days is not shown.</summary>
    private const int MaxDays = 31;

    /// <param name="events">Those of the day.</param>
    /// <exception cref="IOException">A record can't be read.</exception>
    public static IEnumerable<VisibleEvent> Read(
        RoomVisibility room, Reader reader, DateOnly day, IReadOnlyCollection<VisibleEvent> events)
    {
        var ids = events.Select(e => IdHash.Of(e.Event.EventId)).ToHashSet();
        var hashes = events.Select(e => RelatedLine.HashOf(e.Event.EventId)).ToHashSet();
        return room.Days.Where(other => other > day)
            .Select(other => (Day: other, Lines: LinesOf(other)))
            .Where(found => found.Lines.Count > 0)
            .Take(MaxDays)
            .SelectMany(found => room.Read(reader, found.Day, found.Lines.Min())
                .TakeWhile(e => e.Position.Line <= found.Lines.Max())
                .Where(e => found.Lines.Contains(e.Position.Line)));

        HashSet<int> LinesOf(DateOnly later) => room.FactsOf(later) is { } facts
            ?
            [
                .. facts.Related.Where(line => hashes.Contains(line.Target)).Select(line => line.Line),
                .. facts.Removals.Where(removal => ids.Contains(removal.Target)).Select(removal => removal.Line),
            ]
            : [];
    }

    /// <summary>Changes whenever <see cref="Read"/> of a day may return something else, but for removals.</summary>
    public static int CountAfter(RoomVisibility room, DateOnly day) =>
        room.Days.Where(other => other > day).Sum(other => room.FactsOf(other)?.Related.Length ?? 0);
}
