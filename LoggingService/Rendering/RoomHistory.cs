namespace LoggingService.Rendering;

/// <summary>Lookups in the room's record before an event; <c>null</c> for what is not in the record or too far back.</summary>
/// <param name="FindEvent">By event id.</param>
/// <param name="FindState">The newest state event of a type and state key.</param>
internal readonly record struct RoomHistory(Func<string, RoomEvent?> FindEvent, Func<string, string, RoomEvent?> FindState);
