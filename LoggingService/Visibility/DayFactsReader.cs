using System.Buffers.Text;
using System.IO.Hashing;
using LoggingService.Files;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>Reads the facts of a day's record. Only lines that may tell something are parsed.</summary>
internal sealed class DayFactsReader
{
    private readonly DayFacts _known;
    private readonly HashSet<string> _shared;
    private readonly List<VisibilityChange> _changes = [];
    private readonly List<Removal> _removals = [];
    private readonly List<RemovalOfUser> _removalsOfUsers = [];
    private readonly List<MemberName> _names = [];
    private readonly List<RoomState> _states = [];
    private readonly List<RelatedLine> _related = [];
    private readonly List<int> _withheld = [];
    private ulong _digest;
    private int _line;
    private int _fetched;
    private long _fetchedFrom;
    private long _fetchedTo;
    private string? _roomId;

    private DayFactsReader(DayFacts known, HashSet<string> shared)
    {
        _known = known;
        _shared = shared;
        _digest = known.Digest;
        _line = known.Lines;
        _fetched = known.Fetched;
        _fetchedFrom = known.FetchedFrom;
        _fetchedTo = known.FetchedTo;
        _roomId = known.RoomId;
    }

    /// <summary>Reads a day, or the lines that were appended since; returns <paramref name="known"/> if nothing changed.</summary>
    /// <param name="record">The path without <c>.gz</c>.</param>
    /// <param name="shared">Names of other days: equal ones are one string.</param>
    /// <returns><c>null</c> if there is no such file.</returns>
    /// <exception cref="IOException">It can't be read.</exception>
    public static DayFacts? Read(string record, DateOnly day, DayFacts? known, HashSet<string> shared)
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
        return new DayFactsReader(start, shared).Read(file) with { Stamp = stamp };
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
                var before = Facts;
                Add(line.Bytes);
                _digest = Facts == before ? _digest : XxHash3.HashToUInt64(line.Bytes.Span, (long)_digest);
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
            Changes = _known.Changes.AddRange(_changes),
            Removals = _known.Removals.AddRange(_removals),
            RemovalsOfUsers = _known.RemovalsOfUsers.AddRange(_removalsOfUsers),
            Names = _known.Names.AddRange(_names),
            States = _known.States.AddRange(_states),
            Related = _known.Related.AddRange(_related),
            Withheld = _known.Withheld.AddRange(_withheld),
            Digest = _digest,
            Fetched = _fetched,
            FetchedFrom = _fetchedFrom,
            FetchedTo = _fetchedTo,
        };
    }

    /// <summary>How many there are of those that change how lines of other days look.</summary>
    private int Facts => _changes.Count + _removals.Count + _removalsOfUsers.Count + _names.Count + _states.Count;

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
            if (target.StartsWith('@'))
            {
                _removalsOfUsers.Add(new(IdHash.Of(target), _line, new(sentAt, e.FetchedTs is not null)));
            }
            else
            {
                _removals.Add(new(IdHash.Of(target), _line, StubReason.Removed));
            }
        }

        StubReason? own = ErasedEvent.IsStub(e) ? StubReason.Erased
            : RemovedLine.ArrivedRedacted(e) ? StubReason.Removed
            : NotLogged.IsStub(e) ? StubReason.NotLogged
            : null;
        if (own is { } reason)
        {
            _removals.Add(new(IdHash.Of(e.EventId), _line, reason));
        }
    }

    private void AddStateOrName(RoomEvent e, string stateKey)
    {
        switch (e.Type)
        {
            case "m.room.member" when e.Content["membership"u8].IsString("join"u8):
                _names.Add(new(IdHash.Of(stateKey), IdHash.Of(e.EventId), Share(e.Content["displayname"u8].AsString()), _line));
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

    private string? Share(string? name)
    {
        if (name is not null && !_shared.Add(name))
        {
            _shared.TryGetValue(name, out name);
        }

        return name;
    }

    private LogPosition Position => new(_known.Day, _line);

    private void AddState(RoomEvent e, string? value)
    {
        var robotsTime = e.Type == RoomVisibility.RobotsType ? KeptVisibility.RobotsTime(e) : 0;
        _states.Add(new(Position, e.Type!, e.EventId, e.Sender, value, e.FetchedTs is not null, robotsTime));
    }
}
