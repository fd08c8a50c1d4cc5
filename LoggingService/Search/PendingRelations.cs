using System.Text;
using LoggingService.Files;
using LoggingService.RoomLogs;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>Applies redactions and edits to events of a room that are in the index.</summary>
internal sealed class PendingRelations(IndexTables tables, string folder, long room, EventsOfRoom events)
{
    /// <summary>Bytes of a record before a line in which its target is searched; otherwise the ids of all days are.</summary>
    private const long LookBack = 4 * 1024 * 1024;

    private readonly Dictionary<string, (IndexedDay Day, long Offset)?> _places = [];
    private readonly HashSet<string> _indexed = [];

    public void Apply(List<EventRelation> pending)
    {
        var targets = new List<(string Id, EventRelation Relation)>();
        foreach (var relation in pending)
        {
            if (!events.Days.TryGetValue(relation.Day, out var day) || events.EventAt(day.Day, relation.Offset) is not { } e)
            {
                tables.Writer.Settle(room, relation.Target, 0);
            }
            else if (relation.Kind == RelationKind.UserRedaction)
            {
                RemoveUser(e, day.Day, relation.Offset);
                tables.Writer.Settle(room, relation.Target, 0);
            }
            else if (TargetOf(e) is { } id && RelationTable.Key(id) == relation.Target)
            {
                targets.Add((id, relation));
            }
            else
            {
                // The record was changed meanwhile, and is indexed again.
                tables.Writer.Settle(room, relation.Target, 0);
            }
        }

        Locate(targets);
        foreach (var (id, relation) in targets)
        {
            if (_places[id] is not { } place)
            {
                tables.Writer.Settle(room, relation.Target, 0);
            }
            else if (events.EventAt(place.Day.Day, place.Offset) is { } e)
            {
                Apply(e, place, relation);
            }
        }
    }

    private void Apply(RoomEvent e, (IndexedDay Day, long Offset) place, EventRelation relation)
    {
        if (relation.Kind == RelationKind.Redaction && EventsOfRoom.EditedId(e) is { } edited)
        {
            // Without the edit, the original has an earlier text.
            Locate([(edited, new(0, place.Day.Id, place.Offset, RelationKind.Edit))]);
            if (_places[edited] is { } original && events.EventAt(original.Day.Day, original.Offset) is { } found)
            {
                IndexAgain(found, original, mustLeave: true);
            }

            tables.Writer.Settle(room, relation.Target, 0);
        }
        else
        {
            IndexAgain(e, place, mustLeave: relation.Kind == RelationKind.Redaction);
        }
    }

    private void IndexAgain(RoomEvent e, (IndexedDay Day, long Offset) place, bool mustLeave)
    {
        if (place.Offset >= place.Day.Offset)
        {
            // The next update indexes the line, as it is then.
            tables.Writer.Settle(room, RelationTable.Key(e.EventId), 0);
            return;
        }

        // Its row, if it has one, is at its time or behind it.
        using var find = new Statement(
            tables.Writer.Connection, "SELECT row, line FROM hit WHERE row BETWEEN ?1 AND ?2 AND day = ?3 AND offset = ?4");
        find.Bind(1, RowTime.FirstRow(e)).Bind(2, place.Day.LastRow).Bind(3, place.Day.Id).Bind(4, place.Offset);
        var (row, line) = find.Step() ? (find.Integer(0), HitLine.NumberOf(find.Integer(1))) : ((long?)null, 0);
        find.Reset();
        if (row is { } found)
        {
            tables.Writer.Delete(found, mustLeave);
        }

        // Once: a second line would have the same row.
        line = row is null ? CountLines(place) : line;
        if (_indexed.Add(e.EventId) && !events.Index(e, place.Day, new(place.Offset, line), row))
        {
            tables.Writer.Settle(room, RelationTable.Key(e.EventId), 0);
        }
    }

    private int CountLines((IndexedDay Day, long Offset) place)
    {
        using var file = DayFile.TryOpen(events.RecordOf(place.Day.Day));
        return file is null ? 0 : RecordReader.Lines(file.ReadAt, 0, place.Offset).Count();
    }

    private void RemoveUser(RoomEvent ban, DateOnly day, long offset)
    {
        var removal = EventsOfRoom.RemovalOf(ban);
        using var find = new Statement(
            tables.Writer.Connection,
            """
            SELECT row, day, offset, line, row IN (SELECT row FROM relation WHERE room = ?1 AND kind = 3 AND row > 0)
            FROM hit WHERE sender = (SELECT id FROM sender WHERE user = ?2) AND day IN (SELECT id FROM day WHERE room = ?1)
            ORDER BY day, offset
            """);
        find.Bind(1, room).Bind(2, ban.StateKey!);
        var edited = new List<(IndexedDay Day, long Offset)>();
        while (find.Step())
        {
            if (!events.Days.TryGetValue(find.Integer(1), out var other))
            {
                continue;
            }

            var isFetched = (HitLine.KindsOf(find.Integer(3)) & HitKinds.Fetched) != 0;
            if (IsRemoved((other.Day, find.Integer(2)), (day, offset), removal, isFetched))
            {
                tables.Writer.Delete(find.Integer(0), mustLeave: true);
            }
            else if (find.Integer(4) != 0)
            {
                edited.Add((other, find.Integer(2)));
            }
        }

        // An edit may repeat what the ban removes: the original has an earlier text.
        foreach (var place in edited)
        {
            if (events.EventAt(place.Day.Day, place.Offset) is { } e)
            {
                IndexAgain(e, place, mustLeave: true);
            }
        }
    }

    /// <summary>As before the event was indexed: a row has no exact time. An event that can't be read is removed.</summary>
    private bool IsRemoved((DateOnly Day, long Offset) place, (DateOnly Day, long Offset) ban, UserRemoval removal, bool isFetched)
    {
        var isLineBefore = place.CompareTo(ban) < 0;
        return isFetched || removal.IsFetched
            ? events.EventAt(place.Day, place.Offset) is not { } e || removal.Removes(isLineBefore, e.OriginServerTs, isFetched)
            : isLineBefore;
    }

    private static string? TargetOf(RoomEvent e) =>
        EventKeys.Of(e) is { Relation: EventIdKind.Redaction, Target: { } removed } ? removed : EventsOfRoom.EditedId(e);

    /// <summary>Finds the lines of the targets: usually shortly before, otherwise by the ids of all days.</summary>
    private void Locate(IReadOnlyList<(string Id, EventRelation Relation)> targets)
    {
        var missing = new List<string>();
        foreach (var (id, relation) in targets)
        {
            if (!_places.ContainsKey(id))
            {
                _places[id] = FindBefore(id, relation);
                if (_places[id] is null)
                {
                    missing.Add(id);
                }
            }
        }

        if (missing.Count == 0)
        {
            return;
        }

        var days = events.Days.Values.ToDictionary(day => day.Day);
        try
        {
            var known = KnownEvents.OpenAll(folder);
            foreach (var id in missing)
            {
                _places[id] = known.Find(id) is { } found && days.TryGetValue(found.Day, out var day) ? (day, found.Offset) : null;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A record can't be read: its events are indexed again when it can.
        }
    }

    private (IndexedDay Day, long Offset)? FindBefore(string id, EventRelation relation)
    {
        var day = events.Days[relation.Day];
        try
        {
            using var file = DayFile.TryOpen(events.RecordOf(day.Day));
            var needle = Encoding.UTF8.GetBytes(id);
            var found = file is null ? null : RecordReader.Newest(file.ReadAt, relation.Offset, needle, e => e.EventId == id, LookBack);
            return found is { } line ? (day, line.Offset) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
