using Bench;
using LoggingService.Events;
using LoggingService.Transactions;

namespace Micro;

internal static class Events
{
    /// <summary>Parses a transaction from a copy of the body.</summary>
    public static IReadOnlyList<RoomEvent> Parse(BodyTemplate template, long firstEvent)
    {
        var body = template.Fill(firstEvent).ToArray();
        return Transaction.TryParse(body, out var transaction, out var error) ? transaction.Events : throw new InvalidDataException(error);
    }
}
