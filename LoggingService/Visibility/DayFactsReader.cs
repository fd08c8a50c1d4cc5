using System.Buffers.Text;
using LoggingService.Files;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>Reads the facts of a day's record. Only lines that may tell something are parsed.</summary>
internal sealed class DayFactsReader
{
    private readonly DayFacts _known;
    private readonly List<VisibilityChange> _changes;
    private readonly List<Removal> _removals;
    private readonly List<MemberName> _names;
    private readonly List<RoomState> _states;
    private readonly List<RelatedLine> _related;
    private readonly List<int> _withheld;
    private int _line;
    private int _fetched;
    private long _fetchedFrom;
    private long _fetchedTo;
    private string? _roomId;

    private DayFactsReader(DayFacts known)
    {
        _known = known;
        _changes = [.. known.Changes];
        _removals = [.. known.Removals];
        _names = [.. known.Names];
        _states = [.. known.States];
        _related = [.. known.Related];
        _withheld = [.. known.Withheld];
        _line = known.Lines;
        _fetched = known.Fetched;
        _fetchedFrom = known.FetchedFrom;
        _fetchedTo = known.FetchedTo;
        _roomId = known.RoomId;
    }

    /// <summary>Reads a day, or the lines that were appended since; returns <paramref name="known"/> if nothing changed.</summary>
    /// <param name="record">The path without <c>.gz</c>.</param>
    /// <returns><c>null</c> if there is no such file.</returns>
    /// <exception cref="IOException">It can't be read.</exception>
    public static DayFacts? Read(string record, DateOnly day, DayFacts? known)
    {
        if (DayFile.Find(record) is not { } path || RecordStamp.Of(path) is not { } stamp)
        {
            return null;
        }

        if (known?.Stamp == stamp)
        {
            return known;
        }

        // The stamp is older than what is read: a line that is appended meanwhile is read twice at most, by its number once.
        var isAppended = known is not null && known.Stamp.Inode == stamp.Inode && known.Stamp.Length < stamp.Length
            && !path.EndsWith(DayFile.CompressedSuffix, StringComparison.Ordinal);
        var start = isAppended ? known! : new DayFacts { Day = day, Stamp = stamp };
        using var file = DayFile.OpenExactly(path);
        return new DayFactsReader(start).Read(file) with { Stamp = stamp };
    }

    private DayFacts Read(DayFile file)
    {
        var length = _known.Length;
        var lastReceivedAt = _known.LastReceivedAt;
        foreach (var line in RecordReader.Lines(file.ReadAt, length, long.MaxValue))
        {
            if (!line.IsFinished)
            {
                // It is being written.
                break;
            }

            if (MayTell(line.Bytes.Span))
            {
                Add(line.Bytes);
            }

            lastReceivedAt = Math.Max(lastReceivedAt, ReceivedAt(line.Bytes.Span));
            length = line.Offset + line.Bytes.Length + 1;
            _line++;
        }

        return _known with
        {
            Length = length,
            Lines = _line,
            LastReceivedAt = lastReceivedAt,
            RoomId = _roomId,
            Changes = _changes,
            Removals = _removals,
            Names = _names,
            States = _states,
            Related = _related,
            Withheld = _withheld,
            Fetched = _fetched,
            FetchedFrom = _fetchedFrom,
            FetchedTo = _fetchedTo,
        };
    }

    /// <summary>Most lines are messages, which tell nothing. A letter that JSON escapes may hide any of the names.</summary>
    private static bool MayTell(ReadOnlySpan<byte> line) =>
        line.IndexOf("\"state_key\""u8) >= 0
        || line.IndexOf("redact"u8) >= 0
        || line.IndexOf("io.element.synapse."u8) >= 0
        || line.IndexOf("\"erased\""u8) >= 0
        || line.IndexOf("\"not_logged\""u8) >= 0
        || line.IndexOf("\\u00"u8) >= 0
        || MayBelongToAnother(line)
        || Note.IsRecord(line)
        || RecordLine.ReadFetchedTs(line) is not null;

    private static bool MayBelongToAnother(ReadOnlySpan<byte> line) =>
        line.IndexOf("\"m.relates_to\""u8) >= 0
        && (line.IndexOf("\"m.annotation\""u8) >= 0 || line.IndexOf("\"m.replace\""u8) >= 0 || line.IndexOf("\"m.reference\""u8) >= 0);

    private static long ReceivedAt(ReadOnlySpan<byte> line)
    {
        var end = line.EndsWith(",\"note\":true}"u8) ? line[..^",\"note\":true}".Length] : line.TrimEnd((byte)'}');
        var number = end[(end.LastIndexOfAnyExceptInRange((byte)'0', (byte)'9') + 1)..];
        return Utf8Parser.TryParse(number, out long time, out _) ? time : 0;
    }

    private void Add(ReadOnlyMemory<byte> line)
    {
        if (RoomEvent.FromRecord(line) is not { } e)
        {
            _withheld.Add(_line);
            return;
        }

        _roomId ??= e.RoomId;
        var sentAt = e.OriginServerTs ?? e.ReceivedTs ?? 0;
        if (e.FetchedTs is not null)
        {
            _fetched++;
            _fetchedFrom = Math.Min(_fetchedFrom, sentAt);
            _fetchedTo = Math.Max(_fetchedTo, sentAt);
        }

        AddRemovals(e, sentAt);
        if (HistoryVisibility.Of(e, _known.Day) is { } change)
        {
            _changes.Add(new(Position, change.SentAt, change.ReceivedAt, change.IsFetched, change.IsWorldReadable, change.IsFirst));
        }

        // What soft-failed is no state of the room; its redactions were applied. What the room was like at first repeats words of events
        // and names of users, which may be removed since.
        if (RenderContext.NoticeOf(e) is not null || e is { IsNote: true, Type: Note.FirstState or Note.FirstMembers })
        {
            _withheld.Add(_line);
        }
        else if (!e.IsNote && e.StateKey is { } stateKey)
        {
            AddStateOrName(e, stateKey);
        }
        else if (e.Content["m.relates_to"u8] is var relation
            && relation["rel_type"u8].AsString() is "m.annotation" or "m.replace" or "m.reference"
            && relation["event_id"u8].AsString() is { } target)
        {
            _related.Add(new(_line, RelatedLine.HashOf(target)));
        }
    }

    private void AddRemovals(RoomEvent e, long sentAt)
    {
        if (EventKeys.Of(e) is { Relation: EventIdKind.Redaction, Target: { } target })
        {
            _removals.Add(new(_line, target, sentAt, StubReason.Removed, e.FetchedTs is not null));
        }

        StubReason? own = ErasedEvent.IsStub(e) ? StubReason.Erased
            : RemovedLine.ArrivedRedacted(e) ? StubReason.Removed
            : NotLogged.IsStub(e) ? StubReason.NotLogged
            : null;
        if (own is { } reason)
        {
            _removals.Add(new(_line, e.EventId, sentAt, reason, e.FetchedTs is not null));
        }
    }

    private void AddStateOrName(RoomEvent e, string stateKey)
    {
        switch (e.Type)
        {
            case "m.room.member" when e.Content["membership"u8].IsString("join"u8):
                _names.Add(new(Position, e.EventId, stateKey, e.Content["displayname"u8].AsSharedString()));
                break;
            case "m.room.name" when stateKey.Length == 0:
                AddState(e, e.Content["name"u8].AsString());
                break;
            case "m.room.topic" when stateKey.Length == 0:
                AddState(e, e.Content["topic"u8].AsString());
                break;
            case "m.room.canonical_alias" when stateKey.Length == 0:
                AddState(e, e.Content["alias"u8].AsString());
                break;
            case RoomVisibility.RobotsType when stateKey.Length == 0:
                AddState(e, KeptVisibility.IsRefused(e) ? RoomVisibility.RobotsRefused : null);
                break;
        }
    }

    private LogPosition Position => new(_known.Day, _line);

    private void AddState(RoomEvent e, string? value)
    {
        var robotsTime = e.Type == RoomVisibility.RobotsType ? KeptVisibility.RobotsTime(e) : 0;
        _states.Add(new(Position, e.Type!, e.EventId, e.Sender, value, e.FetchedTs is not null, robotsTime));
    }
}
