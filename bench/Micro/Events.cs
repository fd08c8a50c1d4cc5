using Bench;
using LoggingService.Events;
using LoggingService.Transactions;

namespace Micro;

/// <summary>A transaction's events, read.</summary>
internal static class Events
{
    /// <summary>Those of the body, in memory of their own.</summary>
    public static IReadOnlyList<RoomEvent> Of(Bodies bodies, long firstEvent) =>
        Transaction.TryParse(bodies.For(firstEvent).ToArray(), out var transaction, out var mistake) ? transaction.Events : throw new InvalidDataException(mistake);
}
