using System.Text;
using LoggingService.Journal;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// Decides about the lines of one room, in the order of its records: first all of them are searched, then each is changed.
/// Erased are events of the scope, their edits, and the ends of their polls. What refers to them may quote them.
/// </summary>
internal sealed class LineErasure
{
    private readonly ErasureScope _scope;
    private readonly Pseudonym? _pseudonym;
    private readonly List<byte[]> _userIds;
    private readonly EmbeddedEvents _embedded;
    private readonly NoteErasure _notes;

    /// <summary>Users whose ban is above.</summary>
    private readonly HashSet<string> _ended = [];

    /// <summary>By the id of an event: its sender, if known, and the redaction that removed it.</summary>
    private readonly Dictionary<string, (string? Sender, string? Redaction)> _erased = [];

    /// <summary>Events that are erased or changed: a line that refers to one of them is rendered again.</summary>
    private readonly MentionedIds _changed = new();

    private readonly HashSet<string> _repliesToErased = [];

    /// <summary>Events to which erased ones relate: the homeserver may have bundled these with them.</summary>
    private readonly HashSet<string> _targets = [];

    /// <summary>By type and state key: whether the newest event so far is erased or changed.</summary>
    private readonly Dictionary<string, bool> _state = [];
    private bool _hasState;

    public LineErasure(ErasureScope scope)
    {
        _scope = scope;
        _embedded = new(scope, _erased.ContainsKey);
        _notes = new(scope);
        _pseudonym = scope is { User: { } user, Pseudonym: { } pseudonym } ? new(user, pseudonym) : null;
        _userIds = [.. scope.Users.Keys.Concat(scope.Users.Values.OfType<RedactingBan>().Select(ban => ban.EventId))
            .Select(Encoding.UTF8.GetBytes)];
        foreach (var (id, redaction) in scope.Events)
        {
            _erased[id] = (null, redaction);
            _changed.Add(id);
        }
    }

    /// <summary>The ids of the erased events.</summary>
    public IReadOnlyCollection<string> ErasedIds => _erased.Keys;

    /// <summary>Takes note of a line's event if it is to be erased.</summary>
    public void Find(ReadOnlyMemory<byte> line)
    {
        if (MayConcern(line) && RoomEvent.FromRecord(line) is { } e)
        {
            Find(e);
        }
    }

    public void Find(RoomEvent e)
    {
        if (e.IsNote)
        {
            _notes.Add(e);
            return;
        }

        foreach (var (user, ban) in _scope.Users)
        {
            if (ban?.EventId == e.EventId)
            {
                _ended.Add(user);
            }
        }

        if (FindReason(e) is var (isErased, redaction) && isErased)
        {
            _erased[e.EventId] = (e.Sender, redaction);
            _changed.Add(e.EventId);
            _hasState |= e.StateKey is not null;
            _embedded.Add(e);
            _notes.AddErased(e);
            if (e.Content["m.relates_to"u8]["event_id"u8].AsString() is { } target)
            {
                _targets.Add(target);
            }
        }
    }

    /// <summary>How a line of a record changes.</summary>
    public LineChange Change(ReadOnlyMemory<byte> line)
    {
        if (!MayConcern(line) && !(_hasState && line.Span.IndexOf("\"state_key\""u8) >= 0))
        {
            return new(IsUnread: !line.Span.StartsWith("{"u8) || !line.Span.EndsWith("}"u8));
        }

        return RoomEvent.FromRecord(line) is { } e ? Change(e, line, ToRecord) : new(IsUnread: true);
    }

    /// <summary>What becomes of an entry that is not in a record yet; the same one if it stays.</summary>
    public JournalEntry Change(JournalEntry entry)
    {
        if (entry.Event is not { } e)
        {
            return entry;
        }

        var change = Change(e, entry.Bytes, static stub => stub.Json.Bytes.ToArray());
        return change.Bytes is not { } bytes ? entry : entry with
        {
            Bytes = bytes,
            Event = null,
            ErasedBy = change.IsErased ? e.ErasedBy ?? _erased[e.EventId].Redaction ?? "" : e.ErasedBy,
        };
    }

    /// <param name="line">The JSON of the event, or its line of a record.</param>
    /// <param name="write">Writes a stub in the same form.</param>
    private LineChange Change(RoomEvent e, ReadOnlyMemory<byte> line, Func<RoomEvent, byte[]> write)
    {
        var state = e.StateKey is { } key ? EventKeys.StateOf(e.Type, key) : null;
        var hasPrevious = state is not null && _state.GetValueOrDefault(state);
        var isErased = !e.IsNote && _erased.ContainsKey(e.EventId);
        var bytes = isErased ? Erase(e, write) : RemoveQuotes(e, line, hasPrevious);
        bytes = _pseudonym?.Replace(bytes is null ? line.Span : bytes) ?? bytes;
        var isConcerned = isErased || bytes is not null || hasPrevious || _changed.IsIn(line);
        if (isErased || bytes is not null)
        {
            _changed.Add(e.EventId);
            _hasState |= state is not null;
        }

        if (state is not null)
        {
            _state[state] = isErased || bytes is not null;
        }

        return new(IsUnread: false, isErased, isConcerned, bytes);
    }

    private (bool IsErased, string? Redaction) FindReason(RoomEvent e)
    {
        if (_erased.TryGetValue(e.EventId, out var found))
        {
            return (true, found.Redaction);
        }

        if (e.Sender is { } sender && _scope.Users.TryGetValue(sender, out var ban) && (ban is null || IsBefore(e, sender, ban)))
        {
            return (true, ban?.EventId);
        }

        // An edit, by the same sender, or the end of a poll repeats the text.
        var relation = e.Content["m.relates_to"u8];
        var isEdit = relation["rel_type"u8].IsString("m.replace"u8);
        if ((isEdit || e.CanonicalType == "m.poll.end")
            && relation["event_id"u8].AsString() is { } id
            && _erased.TryGetValue(id, out var original)
            && (!isEdit || original.Sender is null || original.Sender == e.Sender))
        {
            return (true, original.Redaction);
        }

        return (_scope.IsResumed && ErasedEvent.IsStub(e), null);
    }

    /// <summary>Whether a ban removes an event. What was fetched is in the log behind events that were sent later.</summary>
    private bool IsBefore(RoomEvent e, string sender, RedactingBan ban) =>
        (ban.IsFetched || e.FetchedTs is not null) && e.OriginServerTs is { } sentAt && ban.OriginServerTs is { } bannedAt
            ? sentAt <= bannedAt
            : !_ended.Contains(sender);

    /// <summary>The stub; <c>null</c> if it is one already.</summary>
    private byte[]? Erase(RoomEvent e, Func<RoomEvent, byte[]> write) =>
        ErasedEvent.IsStub(e) ? null : write(ErasedEvent.Create(e, _erased[e.EventId].Redaction));

    private static byte[] ToRecord(RoomEvent stub)
    {
        using var line = new MemoryStream();
        stub.WriteRecord(line);
        return line.ToArray()[..^1];
    }

    /// <summary>The line without what it repeats; <c>null</c> if it repeats nothing.</summary>
    private byte[]? RemoveQuotes(RoomEvent e, ReadOnlyMemory<byte> line, bool hasPrevious)
    {
        var changed = e.IsNote ? _notes.Erase(e, line) : FindQuotation(e, line, hasPrevious).Remove(new(line), _embedded);
        return changed.Equals(line) ? null : changed.ToArray();
    }

    private Quotation FindQuotation(RoomEvent e, ReadOnlyMemory<byte> line, bool hasPrevious)
    {
        var relation = e.Content["m.relates_to"u8];
        var isReply = IsErased(relation["m.in_reply_to"u8]["event_id"u8])
            || IsErased(e.Content["m.new_content"u8]["m.relates_to"u8]["m.in_reply_to"u8]["event_id"u8])
            || (relation["rel_type"u8].IsString("m.replace"u8)
                && relation["event_id"u8].AsString() is { } edited
                && _repliesToErased.Contains(edited));
        if (isReply)
        {
            _repliesToErased.Add(e.EventId);
        }

        var isPreviousSender = e.StateKey is not null
            && e.Unsigned["prev_sender"u8].AsString() is { } sender && _scope.Users.ContainsKey(sender);
        hasPrevious |= isPreviousSender || (e.StateKey is not null && IsErased(e.Unsigned["replaces_state"u8]));
        var isProfile = _scope.User is { } user && e.Type == "m.room.member" && (e.StateKey == user || e.StateKey == _scope.Pseudonym);
        var mayBundle = isReply || hasPrevious || isProfile || _targets.Contains(e.EventId) || MayRepeat(line);
        return new(isReply, hasPrevious, isPreviousSender, isProfile, mayBundle);
    }

    private bool IsErased(RawJson id) => id.AsString() is { } text && _erased.ContainsKey(text);

    private bool MayConcern(ReadOnlyMemory<byte> line)
    {
        // An escaped string may be any id.
        var span = line.Span;
        return span.Contains((byte)'\\')
            || MayRepeat(line)
            || Note.IsRecord(span)
            || _pseudonym?.IsIn(span) == true
            || (_targets.Count > 0 && span.IndexOf("\"m.relations\""u8) >= 0)
            || (_scope.IsResumed && span.IndexOf("\"erased\":"u8) >= 0);
    }

    /// <summary>The line has the id of an erased or changed event, or of a user.</summary>
    private bool MayRepeat(ReadOnlyMemory<byte> line) =>
        _changed.IsIn(line)
        || _userIds.Exists(id => line.Span.IndexOf(id) >= 0)
        || (_scope.IsResumed && line.Span.IndexOf("\"m.relations\""u8) >= 0);
}

/// <summary>What becomes of a line.</summary>
/// <param name="IsUnread">It is no event, so it stays.</param>
/// <param name="IsErased">The event is erased, now or before.</param>
/// <param name="IsConcerned">Its line of the text must be rendered again.</param>
/// <param name="Bytes">The line in place of the old one; <c>null</c> if it stays.</param>
internal readonly record struct LineChange(bool IsUnread, bool IsErased = false, bool IsConcerned = false, byte[]? Bytes = null);
