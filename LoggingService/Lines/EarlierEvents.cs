using LoggingService.Transactions;

namespace LoggingService.Lines;

/// <summary>
/// What a room's record says before an event: where a line takes the message that it refers to, or a member's earlier
/// name. Both may answer <c>null</c>: it isn't in the record, or too far back.
/// </summary>
/// <param name="ById">The event with this event id.</param>
/// <param name="State">The newest state event of this type and state key.</param>
public readonly record struct EarlierEvents(Func<string, RoomEvent?> ById, Func<string, string, RoomEvent?> State);
