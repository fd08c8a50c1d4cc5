using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace LoggingService.Transactions;

/// <summary>
/// One push of a homeserver (Application Service API, <c>PUT /_matrix/app/v1/transactions/{txnId}</c>): the events that can
/// be logged, in order, and the items that go to the quarantine.
/// </summary>
internal sealed record Transaction(IReadOnlyList<RoomEvent> Events, IReadOnlyList<Unloggable> Unloggable)
{
    /// <summary>
    /// Parses a body. Valid JSON that is not a transaction is unloggable as a whole, since a retry would not improve it. Keys
    /// other than <c>events</c> are ignored; a missing or null <c>events</c> means no events. The events reference the body.
    /// </summary>
    /// <returns>False if the body is not JSON: it was damaged in transit, and a retry may succeed.</returns>
    public static bool TryParse(
        ReadOnlyMemory<byte> body, [NotNullWhen(true)] out Transaction? transaction, [NotNullWhen(false)] out string? error)
    {
        transaction = null;
        if (!RawJson.TryParse(body, out var json, out error))
        {
            return false;
        }

        List<RoomEvent> events = [];
        List<Unloggable> unloggable = [];
        var items = json["events"u8];
        if (json.Kind != JsonValueKind.Object || items.Kind is not (JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined))
        {
            unloggable.Add(new("JSON that is not a transaction", json.Bytes, IsJson: true));
        }

        foreach (var item in items.Items())
        {
            if (RoomEvent.TryRead(item, out var roomEvent, out var reason))
            {
                events.Add(roomEvent);
            }
            else
            {
                unloggable.Add(new(reason, item.Bytes, IsJson: true));
            }
        }

        transaction = new(events, unloggable);
        return true;
    }
}
