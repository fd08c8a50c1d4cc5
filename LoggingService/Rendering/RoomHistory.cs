using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// What a room's record says before an event: where a line takes the message that it refers to, or a member's earlier
/// name. Both may answer <c>null</c>: it isn't in the record, or too far back.
/// </summary>
/// <param name="FindEvent">The event with this event id.</param>
/// <param name="FindState">The newest state event of this type and state key.</param>
internal readonly record struct RoomHistory(Func<string, RoomEvent?> FindEvent, Func<string, string, RoomEvent?> FindState);
