using LoggingService.Consent;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// What the service's own lines repeat of erased events and users: the first state of a room has names of members and what they set, and
/// a change of wishes has a prefix. The lines stay.
/// </summary>
internal sealed class NoteErasure(ErasureScope scope)
{
    /// <summary>By the key of state: what erased events set.</summary>
    private readonly Dictionary<string, HashSet<string>> _texts = [];

    /// <summary>Keys of state that stubs of an interrupted erasure set: what they said is not known any more.</summary>
    private readonly HashSet<string> _stubs = [];

    private readonly HashSet<string> _wishes = [];

    /// <summary>How many listed members are erased.</summary>
    private int _unlisted;

    /// <summary>Takes note of an erased event, before it is changed.</summary>
    public void AddErased(RoomEvent e)
    {
        if (e.StateKey is not { } key)
        {
            return;
        }

        if (e.Type == RoomWish.EventType)
        {
            _wishes.Add(Note.IdOf(Note.WishesChanged, e.EventId));
        }

        var text = e.Type switch
        {
            "m.room.name" => e.Content["name"u8],
            "m.room.topic" => e.Content["topic"u8],
            "m.room.member" => e.Content["displayname"u8],
            _ => default,
        };
        var state = EventKeys.StateOf(e.Type, key);
        if (text.AsString() is { } set)
        {
            if (!_texts.TryGetValue(state, out var texts))
            {
                _texts[state] = texts = [];
            }

            texts.Add(set);
        }
        else if (scope.IsResumed && ErasedEvent.IsStub(e))
        {
            _stubs.Add(state);
        }
    }

    /// <summary>Takes note of a note, in the order of the log.</summary>
    public void Add(RoomEvent note)
    {
        if (note.Type == Note.FirstMembers)
        {
            _unlisted += note.Content["members"u8].Members().Keys.Count(user => scope.Users.ContainsKey(user.ToString()));
        }
    }

    /// <summary>The line of a note without what is erased; the bytes themselves if it repeats nothing of it.</summary>
    public ReadOnlyMemory<byte> Erase(RoomEvent note, ReadOnlyMemory<byte> line)
    {
        JsonEdit.EditMember? edit = note.Type switch
        {
            Note.FirstState => EraseFromState,
            Note.FirstMembers => (name, value) =>
                JsonString.AreEqual(name, "members"u8) ? JsonEdit.Members(value, EraseMember) : value.Bytes,
            Note.WishesChanged when IsOfErased(note) => ErasePrefix,
            _ => null,
        };
        if (edit is null)
        {
            return line;
        }

        return JsonEdit.Members(new(line), (name, value) =>
            JsonString.AreEqual(name, "content"u8) && value.Kind == System.Text.Json.JsonValueKind.Object
                ? JsonEdit.Members(value, edit)
                : value.Bytes);
    }

    private bool IsOfErased(RoomEvent note) =>
        _wishes.Contains(note.EventId) || (note.Content["sender"u8].AsString() is { } sender && scope.Users.ContainsKey(sender));

    private ReadOnlyMemory<byte> EraseFromState(ReadOnlySpan<byte> name, RawJson value)
    {
        var type = JsonString.AreEqual(name, "name"u8) ? "m.room.name" : JsonString.AreEqual(name, "topic"u8) ? "m.room.topic" : null;
        if (type is not null)
        {
            return IsErased(EventKeys.StateOf(type, ""), value) ? default : value.Bytes;
        }

        return _unlisted > 0 && JsonString.AreEqual(name, "listed"u8) && value.AsInteger() is { } listed
            ? System.Text.Encoding.ASCII.GetBytes($"{Math.Max(0, listed - _unlisted)}")
            : value.Bytes;
    }

    /// <summary>An erased user is not listed; of another one a name may be erased.</summary>
    private ReadOnlyMemory<byte> EraseMember(ReadOnlySpan<byte> name, RawJson value)
    {
        var user = JsonString.Decode(name);
        if (scope.Users.ContainsKey(user))
        {
            return default;
        }

        return IsErased(EventKeys.StateOf("m.room.member", user), value) ? "null"u8.ToArray() : value.Bytes;
    }

    private bool IsErased(string state, RawJson text) =>
        text.AsString() is { } shown && (_stubs.Contains(state) || (_texts.TryGetValue(state, out var texts) && texts.Contains(shown)));

    private static ReadOnlyMemory<byte> ErasePrefix(ReadOnlySpan<byte> name, RawJson value) =>
        JsonString.AreEqual(name, "no_log_prefix"u8) && value.AsString() is not null ? "null"u8.ToArray() : value.Bytes;
}
