using System.Text.Json;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// Other events that the homeserver embeds in an event: the redaction that removed it, the state of a room to which it invites, in full or
/// stripped of their ids. (Client-Server API, "Room event format", "Stripped state".)
/// </summary>
internal sealed class EmbeddedEvents(ErasureScope scope, Func<string, bool> isErased)
{
    /// <summary>Deeper JSON is not known to have events.</summary>
    private const int MaxDepth = 16;

    private readonly HashSet<(string State, string? Sender)> _state = [];

    /// <summary>Takes note of an erased event, whose copy may have no id.</summary>
    public void Add(RoomEvent erased)
    {
        if (erased.StateKey is { } key)
        {
            _state.Add((EventKeys.StateOf(erased.Type, key), erased.Sender));
        }
    }

    /// <summary>The value with <c>{}</c> in place of events that are erased; the bytes themselves if it has none.</summary>
    public ReadOnlyMemory<byte> Erase(RawJson value) => Erase(value, MaxDepth);

    private ReadOnlyMemory<byte> Erase(RawJson value, int depth) => value.Kind switch
    {
        JsonValueKind.Object when IsErased(value) => "{}"u8.ToArray(),
        JsonValueKind.Object when depth > 0 => JsonEdit.Members(value, (_, member) => Erase(member, depth - 1)),
        JsonValueKind.Array when depth > 0 => JsonEdit.Items(value, item => Erase(item, depth - 1)),
        _ => value.Bytes,
    };

    private bool IsErased(RawJson json)
    {
        if (json["event_id"u8].AsString() is { } id && isErased(id))
        {
            return true;
        }

        var sender = json["sender"u8].AsString();
        if (sender is not null && scope.Users.ContainsKey(sender))
        {
            return true;
        }

        var type = json["type"u8].AsString();
        return type is not null
            && json["state_key"u8].AsString() is { } key
            && ((type == "m.room.member" && scope.User == key) || _state.Contains((EventKeys.StateOf(type, key), sender)));
    }
}
