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
        ReadOnlyMemory<byte> body, [NotNullWhen(true)] out Transaction? transaction, [NotNullWhen(false)] out string? error) =>
        RawJson.TryParse(body, Read, out transaction, out error);

    private static Transaction Read(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        List<RoomEvent> events = [];
        List<Unloggable> unloggable = [];
        var start = (int)reader.TokenStartIndex;
        var isTransaction = reader.TokenType == JsonTokenType.StartObject;
        if (isTransaction)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isEvents = JsonString.AreEqual(reader.ValueSpan, "events"u8);
                reader.Read();
                if (isEvents)
                {
                    // The last of equal keys is used.
                    events.Clear();
                    unloggable.Clear();
                    isTransaction = reader.TokenType is JsonTokenType.StartArray or JsonTokenType.Null;
                    ReadEvents(ref reader, body, events, unloggable);
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        else
        {
            reader.Skip();
        }

        if (!isTransaction)
        {
            unloggable.Add(new("JSON that is not a transaction", body[start..(int)reader.BytesConsumed], IsJson: true));
        }

        return new(events, unloggable);
    }

    /// <summary>Reads an array of events; skips any other value.</summary>
    private static void ReadEvents(
        ref Utf8JsonReader reader, ReadOnlyMemory<byte> body, List<RoomEvent> events, List<Unloggable> unloggable)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (RoomEvent.Read(ref reader, body, out var rejected) is { } roomEvent)
            {
                events.Add(roomEvent);
            }
            else
            {
                unloggable.Add(rejected);
            }
        }
    }
}
