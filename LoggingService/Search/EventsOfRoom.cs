using LoggingService.Files;
using LoggingService.Rendering;
using LoggingService.RoomLogs;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>What the events of one room are found by: their text as it is now, if it is still there.</summary>
internal sealed class EventsOfRoom : IDisposable
{
    /// <summary>How many edits of an event are tried.</summary>
    private const int MaxEdits = 20;

    private readonly IndexTables _tables;
    private readonly string _folder;
    private readonly long _room;
    private readonly HiddenIds _hidden;

    /// <summary>By the hash of a user's id: the lines that remove all earlier events of the user.</summary>
    private readonly Dictionary<long, List<(DateOnly Day, long Offset, UserRemoval Removal)>> _removedUsers = [];
    private Dictionary<long, IndexedDay> _days = [];
    private bool _hasRelations;

    /// <summary>The record that was read last: edits are near each other.</summary>
    private (DateOnly Day, DayFile? File) _open;

    public EventsOfRoom(IndexTables tables, string folder, long room, HiddenIds hidden)
    {
        _tables = tables;
        _folder = folder;
        _room = room;
        _hidden = hidden;
    }

    /// <summary>The days of the room, by their rows.</summary>
    public IReadOnlyDictionary<long, IndexedDay> Days => _days;

    /// <summary>Adds what a line says about another event.</summary>
    /// <param name="line">Of a record, without its line break.</param>
    /// <param name="day">The row of its day.</param>
    /// <param name="offset">Of the line.</param>
    public void NoteRelation(ReadOnlyMemory<byte> line, long day, long offset)
    {
        // Most lines don't contain the words; one with escapes may.
        var bytes = line.Span;
        if (bytes.IndexOf("redact"u8) < 0 && bytes.IndexOf("m.replace"u8) < 0 && bytes.IndexOf("\\u"u8) < 0)
        {
            return;
        }

        if (RoomEvent.FromRecord(line) is not { IsNote: false } e)
        {
            return;
        }

        if (EventKeys.Of(e) is { Relation: EventIdKind.Redaction, Target: { } removed })
        {
            var kind = removed.StartsWith('@') ? RelationKind.UserRedaction : RelationKind.Redaction;
            _tables.Relations.Add(_room, new(RelationTable.Key(removed), day, offset, kind));
        }
        else if (EditedId(e) is { } edited)
        {
            _tables.Relations.Add(_room, new(RelationTable.Key(edited), day, offset, RelationKind.Edit));
        }
    }

    /// <summary>Reads what is known about the room; to be called when relations were added.</summary>
    public void Start()
    {
        _days = _tables.Rooms.Days(_room).ToDictionary(day => day.Id);
        _hasRelations = _tables.Relations.HasAny(_room);
        _removedUsers.Clear();
        foreach (var removal in _tables.Relations.OfUsers(_room))
        {
            if (!_days.TryGetValue(removal.Day, out var day))
            {
                continue;
            }

            if (!_removedUsers.TryGetValue(removal.Target, out var removals))
            {
                _removedUsers.Add(removal.Target, removals = []);
            }

            removals.Add((day.Day, removal.Offset, RemovalOf(EventAt(day.Day, removal.Offset))));
        }
    }

    /// <summary>Adds an event to the batch, if it has text.</summary>
    /// <param name="place">Of its line in the day's record.</param>
    /// <param name="row">The row that it has had; <c>null</c> if it has none.</param>
    /// <returns>Whether it was added.</returns>
    public bool Index(RoomEvent e, IndexedDay day, LinePlace place, long? row = null)
    {
        if (!SearchableText.MayHave(e))
        {
            return false;
        }

        var key = RelationTable.Key(e.EventId);
        var relations = _hasRelations ? _tables.Relations.Of(_room, key) : [];
        var text = _hidden.Hides(e) || IsRemoved(e, relations, day.Day, place.Offset) ? null : Read(e, relations);
        if (text is { } found)
        {
            var kinds = found.Kinds | (e.FetchedTs is null ? HitKinds.None : HitKinds.Fetched);
            _tables.Writer.Add(new(
                row ?? RowTime.FirstRow(e), _room, day.Id, place, e.Sender!, kinds, found.Text, relations.Count > 0 ? key : null));
        }
        else if (relations.Count > 0)
        {
            _tables.Writer.Settle(_room, key, 0);
        }

        return text is not null;
    }

    /// <summary>Indexes events again that are in the index.</summary>
    public void IndexRows(IEnumerable<long> rows)
    {
        using var find = new Statement(_tables.Writer.Connection, "SELECT day, offset, line FROM hit WHERE row = ?1");
        foreach (var row in rows)
        {
            if (!find.Bind(1, row).Step())
            {
                continue;
            }

            var day = find.Integer(0);
            var place = new LinePlace(find.Integer(1), HitLine.NumberOf(find.Integer(2)));
            find.Reset();
            if (!_days.TryGetValue(day, out var indexed))
            {
                // The row was given to an event of another room.
                continue;
            }

            _tables.Writer.Delete(row, mustLeave: true);
            if (EventAt(indexed.Day, place.Offset) is { } e)
            {
                Index(e, indexed, place, row);
            }
        }
    }

    /// <summary>Applies the redactions and edits whose targets were indexed before them.</summary>
    public void ApplyPending()
    {
        var pending = _tables.Relations.Pending(_room);
        if (pending.Count > 0)
        {
            Start();
            new PendingRelations(_tables, _folder, _room, this).Apply(pending);
        }
    }

    /// <summary>The id of the event that an edit replaces; <c>null</c> if the event is no edit.</summary>
    public static string? EditedId(RoomEvent e) =>
        e.StateKey is null && e.Sender is not null && Relation.IsEdit(e) ? e.Content["m.relates_to"u8]["event_id"u8].AsString() : null;

    /// <summary>The event of a line; <c>null</c> if the record can't be read, or has another line there.</summary>
    public RoomEvent? EventAt(DateOnly day, long offset)
    {
        try
        {
            if (_open.File is null || _open.Day != day)
            {
                Dispose();
                _open = (day, DayFile.TryOpen(RecordOf(day)));
            }

            return _open.File is { } file ? RecordReader.EventAt(file.ReadAt, offset) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public string RecordOf(DateOnly day) => Path.Combine(_folder, DayFileName.Record(day).ToString());

    public void Dispose()
    {
        _open.File?.Dispose();
        _open = default;
    }

    public static UserRemoval RemovalOf(RoomEvent? e) =>
        e is null ? UserRemoval.Unknown : new(e.OriginServerTs ?? e.ReceivedTs ?? 0, e.FetchedTs is not null);

    /// <summary>Alone, or with all earlier events of its sender.</summary>
    private bool IsRemoved(RoomEvent e, List<EventRelation> relations, DateOnly day, long offset) =>
        relations.Exists(relation => relation.Kind == RelationKind.Redaction)
        || (_removedUsers.Count > 0
            && e.Sender is { } sender
            && _removedUsers.TryGetValue(RelationTable.Key(sender), out var removals)
            && removals.Exists(removal => removal.Removal.Removes(
                (day, offset).CompareTo((removal.Day, removal.Offset)) < 0, e.OriginServerTs, e.FetchedTs is not null)));

    private SearchableText? Read(RoomEvent e, List<EventRelation> relations)
    {
        var edit = relations.Count == 0 ? null : NewestEdit(e, relations);
        var content = edit is null ? e.Content : edit.Content["m.new_content"u8];
        var hasFallback = Relation.IsReply(e.Content)
            || (edit is not null && (Relation.IsReply(edit.Content) || Relation.IsReply(content)));
        return SearchableText.Read(e, Spoilers.RemoveFromText(content), hasFallback);
    }

    /// <summary>The newest edit that is valid, as lines of the log quote it.</summary>
    private RoomEvent? NewestEdit(RoomEvent original, List<EventRelation> relations) => relations
        .Where(relation => relation.Kind == RelationKind.Edit && _days.ContainsKey(relation.Day))
        .Select(relation => (_days[relation.Day].Day, relation.Offset))
        .OrderDescending()
        .Take(MaxEdits)
        .Select(place => (Place: place, Edit: EventAt(place.Day, place.Offset)))
        .FirstOrDefault(found => found.Edit is { } edit
            && Relation.IsValidEdit(edit, original)
            && SearchableText.IsShown(edit)

            // What was removed with its sender may be repeated in any later edit.
            && !_removedUsers.ContainsKey(RelationTable.Key(edit.Sender!))
            && !_hidden.Hides(edit)
            && !IsRemoved(edit, _tables.Relations.Of(_room, RelationTable.Key(edit.EventId)), found.Place.Day, found.Place.Offset))
        .Edit;
}
