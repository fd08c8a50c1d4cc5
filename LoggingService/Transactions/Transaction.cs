using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Transactions;

/// <summary>What a homeserver pushes in one request (Application Service API, <c>PUT /_matrix/app/v1/transactions/{txnId}</c>).</summary>
/// <param name="Events">The events that can be logged, in their order.</param>
/// <param name="Unloggable">What can't be: it goes to the quarantine.</param>
internal sealed record Transaction(IReadOnlyList<RoomEvent> Events, IReadOnlyList<Unloggable> Unloggable)
{
    /// <summary>
    /// Reads a body. JSON that is no transaction is an unloggable one: sent again it would be no better. Other keys than
    /// <c>events</c> are left alone; where that is missing or null there are no events.
    /// </summary>
    /// <param name="body">The body; the events are parts of it.</param>
    /// <param name="transaction">What it says.</param>
    /// <param name="mistake">Why it is no JSON: damage on the way, and the homeserver may send it again.</param>
    public static bool TryParse(ReadOnlyMemory<byte> body, [NotNullWhen(true)] out Transaction? transaction, [NotNullWhen(false)] out string? mistake)
    {
        transaction = null;
        if (!RawJson.TryParse(body, out var json, out mistake))
        {
            return false;
        }

        List<RoomEvent> events = [];
        List<Unloggable> unloggable = [];
        var pushed = json["events"u8];
        if (json.Kind != JsonValueKind.Object || pushed.Kind is not (JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined))
        {
            unloggable.Add(new("a body that is JSON but no transaction", json.Bytes, IsJson: true));
        }

        foreach (var item in pushed.Items())
        {
            if (RoomEvent.TryRead(item, out var roomEvent, out var why))
            {
                events.Add(roomEvent);
            }
            else
            {
                unloggable.Add(new(why, item.Bytes, IsJson: true));
            }
        }

        transaction = new(events, unloggable);
        return true;
    }
}
