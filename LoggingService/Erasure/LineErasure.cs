using System.Text;
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
    private readonly HashSet<string> _ended = [];

    /// <summary>By the id of an event: its sender, if known, and the redaction that removed it.</summary>
    private readonly Dictionary<string, (string? Sender, string? Redaction)> _erased = [];

    /// <summary>Events that are erased or changed: a line that refers to one of them is rendered again.</summary>
    private readonly MentionedIds _changed = new();

    private readonly HashSet<string> _repliesToErased = [];

    /// <summary>By type and state key: whether the newest event so far is erased or changed.</summary>
    private readonly Dictionary<string, bool> _state = [];
    private bool _hasState;

    public LineErasure(ErasureScope scope)
    {
        _scope = scope;
        _pseudonym = scope is { User: { } user, Pseudonym: { } pseudonym } ? new(user, pseudonym) : null;
        _userIds = [.. scope.Users.Keys.Concat(scope.Users.Values.OfType<string>()).Select(Encoding.UTF8.GetBytes)];
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
        if (MayConcern(line) && RoomEvent.FromRecord(line) is { IsNote: false } e)
        {
            Find(e);
        }
    }

    public void Find(RoomEvent e)
    {
        foreach (var (user, ban) in _scope.Users)
        {
            if (ban == e.EventId)
            {
                _ended.Add(user);
            }
        }

        if (FindReason(e) is var (isErased, redaction) && isErased)
        {
            _erased[e.EventId] = (e.Sender, redaction);
            _changed.Add(e.EventId);
            _hasState |= e.StateKey is not null;
        }
    }

    /// <summary>How a line of a record changes.</summary>
    public LineChange Change(ReadOnlyMemory<byte> line)
    {
        if (!MayConcern(line) && !(_hasState && line.Span.IndexOf("\"state_key\""u8) >= 0))
        {
            return default;
        }

        return RoomEvent.FromRecord(line) is { } e ? Change(e, line, ErasedEvent.EndOfRecord(line.Span)) : default;
    }

    /// <param name="line">The JSON of the event, or its line of a record.</param>
    /// <param name="end">What the line ends with behind the event's own members.</param>
    public LineChange Change(RoomEvent e, ReadOnlyMemory<byte> line, ReadOnlySpan<byte> end)
    {
        var state = e.StateKey is { } key ? EventKeys.StateOf(e.Type, key) : null;
        var hasPrevious = state is not null && _state.GetValueOrDefault(state);
        var isErased = !e.IsNote && _erased.ContainsKey(e.EventId);
        var bytes = isErased ? Erase(e, end) : RemoveQuotes(e, line, hasPrevious);
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

        return new(isErased, isConcerned, bytes);
    }

    private (bool IsErased, string? Redaction) FindReason(RoomEvent e)
    {
        if (_erased.TryGetValue(e.EventId, out var found))
        {
            return (true, found.Redaction);
        }

        if (e.Sender is { } sender && _scope.Users.TryGetValue(sender, out var ban) && !_ended.Contains(sender))
        {
            return (true, ban);
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

    /// <summary>The stub; <c>null</c> if it is one already.</summary>
    private byte[]? Erase(RoomEvent e, ReadOnlySpan<byte> end) =>
        ErasedEvent.IsStub(e) ? null : ErasedEvent.Create(e, _erased[e.EventId].Redaction, end);

    /// <summary>The line without what it repeats; <c>null</c> if it repeats nothing.</summary>
    private byte[]? RemoveQuotes(RoomEvent e, ReadOnlyMemory<byte> line, bool hasPrevious)
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

        hasPrevious |= e.StateKey is not null && IsErased(e.Unsigned["replaces_state"u8]);
        var isProfile = _scope.User is not null && e is { Type: "m.room.member", StateKey: not null };
        if (e.IsNote || !(isReply || hasPrevious || isProfile || _changed.IsIn(line)))
        {
            return null;
        }

        var changed = Quotation.Remove(e, new(line), isReply, hasPrevious, _scope.User);
        return changed.Equals(line) ? null : changed.ToArray();
    }

    private bool IsErased(RawJson id) => id.AsString() is { } text && _erased.ContainsKey(text);

    private bool MayConcern(ReadOnlyMemory<byte> line)
    {
        // An escaped string may be any id.
        var span = line.Span;
        return span.Contains((byte)'\\')
            || _changed.IsIn(line)
            || _userIds.Exists(id => line.Span.IndexOf(id) >= 0)
            || _pseudonym?.IsIn(span) == true
            || (_scope.IsResumed && span.IndexOf("\"erased\":"u8) >= 0);
    }
}

/// <summary>What becomes of a line.</summary>
/// <param name="IsErased">The event is erased, now or before.</param>
/// <param name="IsConcerned">Its line of the text must be rendered again.</param>
/// <param name="Bytes">The line in place of the old one; <c>null</c> if it stays.</param>
internal readonly record struct LineChange(bool IsErased, bool IsConcerned, byte[]? Bytes);
