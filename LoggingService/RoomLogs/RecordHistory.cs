using System.Globalization;
using System.Text;
using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>What a room's record has before a line of one day: in that day's record, and in those of other days.</summary>
internal sealed class RecordHistory : RoomHistory
{
    /// <summary>Bytes before and behind a line in which lines of the same second are searched.</summary>
    private const int SameSecondWindow = 64 * 1024;

    /// <summary>Bytes of a day in which a sticky event is searched. It lasts an hour at most (MSC4354).</summary>
    private const int StickyLookBack = 256 * 1024;

    private readonly RoomFolder _folder;
    private readonly RecordReader.ReadAt _record;
    private readonly KnownEvents _known;
    private readonly PendingEvents? _pending;
    private readonly EarlierRelations _relations;
    private long _offset;

    /// <param name="pending">
    /// The events of the running append; <c>null</c> where a day's lines are rendered again, all of which are known: then only the lines
    /// before each count, and of other days only the earlier ones.
    /// </param>
    public RecordHistory(RoomFolder folder, RecordReader.ReadAt record, KnownEvents known, PendingEvents? pending)
    {
        _folder = folder;
        _record = record;
        _known = known;
        _pending = pending;
        _relations = new(record);
    }

    private DateOnly? Limit => _pending is null ? _known.Day : null;

    /// <summary>Moves to an event's line, behind the last one: its own event is not part of the history.</summary>
    public void MoveTo(long offset) => _offset = offset;

    public override RoomEvent? FindEvent(string id)
    {
        if (_pending?.Find(id) is { } pending)
        {
            return pending.Event;
        }

        var e = Locate(id) is { } found ? EventAt(found) : null;
        return e?.EventId == id ? e : null;
    }

    public override RoomEvent? FindState(string type, string stateKey)
    {
        if (_pending is null)
        {
            // The known ids hold the newest of each day only, which may be behind the line that is rendered again.
            return FindNewest(stateKey, e => e.Type == type && e.StateKey == stateKey);
        }

        return _pending.FindState(type, stateKey) ?? (_known.NewestState(type, stateKey) is { } found ? EventAt(found) : null);
    }

    public override RoomEvent? FindSticky(RoomEvent sticky, string key) =>
        FindNewest(
            key,
            e => e.StateKey is null && e.Type == sticky.Type && e.Sender == sticky.Sender && RoomCallLine.StickyKey(e) == key,
            StickyLookBack);

    public override bool IsRemoved(string id) => FindRedaction(id) is not null;

    public override bool IsRemoved(RoomEvent earlier) =>
        IsRemoved(earlier.EventId)
        || (earlier.Sender is { } sender && Locate(earlier.EventId) is { } place && IsRemovedWithSender(earlier, sender, place));

    /// <summary>Whether a ban removed the event. Of two events of which one was fetched, their places don't tell which was first.</summary>
    private bool IsRemovedWithSender(RoomEvent earlier, string sender, (DateOnly Day, long Offset) place)
    {
        for (var found = FindRedaction(sender); found is { } ban; found = FindRedactionBefore(sender, ban))
        {
            var e = EventAt(ban);
            var isByTime = earlier.FetchedTs is not null || e?.FetchedTs is not null;
            if (isByTime && earlier.OriginServerTs is { } sentAt && e?.OriginServerTs is { } removedAt
                    ? sentAt <= removedAt
                    : place.CompareTo(ban) < 0)
            {
                return true;
            }

            if (!isByTime)
            {
                // The others are above this one.
                return false;
            }
        }

        return false;
    }

    private (DateOnly Day, long Offset)? FindRedactionBefore(string key, (DateOnly Day, long Offset) place)
    {
        // The ids hold the newest of each day only.
        var before = Read(place.Day, (day, _) => RecordReader.Newest(
            day, place.Offset, Quoted(key),
            e => EventKeys.Of(e) is { Relation: EventIdKind.Redaction, Target: var target } && target == key));
        return before is { } found ? (place.Day, found.Offset) : _known.FindRedaction(key, place.Day);
    }

    public override IEnumerable<RoomEvent> Edits(RoomEvent earlier)
    {
        var (id, sender) = (earlier.EventId, earlier.Sender);
        var key = EventKeys.EditKey(id, sender);
        var newest = FindRelation(EventIdKind.Edit, key) is { } pending
            ? (_known.Day, pending)
            : _known.NewestEdit(id, sender, Limit);
        for (; newest is { } found; newest = _known.NewestEdit(id, sender, found.Day))
        {
            if (EventAt(found) is not { } edit)
            {
                continue;
            }

            // The ids hold the newest of each day only.
            yield return edit;
            for (var before = found.Offset; FindOlder(before) is { } older; before = older.Offset)
            {
                yield return older.Event;
            }

            (RoomEvent Event, long Offset)? FindOlder(long before) => Read(
                found.Day, (day, _) => RecordReader.Newest(day, before, Quoted(id), e => EventKeys.Of(e).Target == key));
        }
    }

    public override bool HasInSameSecond(RoomEvent earlier, Predicate<RoomEvent> isAlike)
    {
        if (earlier.OriginServerTs is not { } time || Locate(earlier.EventId) is not { } place)
        {
            return false;
        }

        var second = time / 1000;
        var digits = Encoding.ASCII.GetBytes(second.ToString(CultureInfo.InvariantCulture));
        var from = Math.Max(0, place.Offset - SameSecondWindow);
        var end = Math.Min(place.Offset + SameSecondWindow, place.Day == _known.Day ? _offset : long.MaxValue);
        return Read(place.Day, (day, _) => HasIn(day, place.Offset, end) || HasIn(day, from, place.Offset));

        // A window may begin and end within a line, which is no event then.
        bool HasIn(RecordReader.ReadAt day, long start, long limit) => RecordReader.Lines(day, start, limit).Any(line =>
            line.Bytes.Span.IndexOf(digits) >= 0
            && RoomEvent.FromRecord(line.Bytes) is { } other
            && other.OriginServerTs / 1000 == second
            && other.Sender == earlier.Sender
            && other.EventId != earlier.EventId
            && isAlike(other));
    }

    private RoomEvent? EventAt((DateOnly Day, long Offset) place) =>
        Read(place.Day, (day, _) => RecordReader.EventAt(day, place.Offset));

    private static byte[] Quoted(string text) => Encoding.UTF8.GetBytes($"\"{text}\"");

    private (DateOnly Day, long Offset)? Locate(string id)
    {
        if (_pending?.Find(id) is { } pending)
        {
            return (_known.Day, pending.Offset);
        }

        var found = _known.Find(id);
        return _pending is null && found?.CompareTo((_known.Day, _offset)) >= 0 ? null : found;
    }

    private (DateOnly Day, long Offset)? FindRedaction(string key) =>
        FindRelation(EventIdKind.Redaction, key) is { } offset ? (_known.Day, offset) : _known.FindRedaction(key, Limit);

    private long? FindRelation(EventIdKind kind, string key) =>
        _pending is null ? _relations.Find(kind, key, _offset) : _pending.FindRelation(kind, key);

    private RoomEvent? FindNewest(string key, Predicate<RoomEvent> matches, long lookBack = RecordReader.LookBack)
    {
        var newest = FindIn(_known.Day);
        return newest is null && RoomFolder.NewestDayBefore(_folder.Path, _known.Day) is { } before ? FindIn(before) : newest;

        RoomEvent? FindIn(DateOnly searched) =>
            Read(searched, (day, length) => RecordReader.Newest(day, length, Quoted(key), matches, lookBack))?.Event;
    }

    /// <summary>
    /// Reads the record of this day, before the event's line, or of another day; nothing if retention removed it, or it is damaged.
    /// </summary>
    private T? Read<T>(DateOnly day, Func<RecordReader.ReadAt, long, T?> read)
    {
        if (day == _known.Day)
        {
            return read(_record, _offset);
        }

        try
        {
            using var file = DayFile.TryOpen(_folder.Record(day));
            return file is null ? default : read(file.ReadAt, file.Length);
        }
        catch (DamagedFileException)
        {
            return default;
        }
    }
}
