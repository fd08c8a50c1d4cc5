using Bench;
using LoggingService.Events;
using LoggingService.Transactions;

namespace Micro;

internal static class Events
{
    /// <summary>Parses a transaction from a copy of the body.</summary>
    public static IReadOnlyList<RoomEvent> Parse(TransactionTemplate template, long firstEvent)
    {
        var body = template.FillBody(firstEvent).ToArray();
        return Transaction.TryParse(body, out var transaction, out var error) ? transaction.Events : throw new InvalidDataException(error);
    }
}
