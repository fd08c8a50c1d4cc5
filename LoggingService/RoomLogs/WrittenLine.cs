using LoggingService.Events;

namespace LoggingService.RoomLogs;

/// <summary>An event that is durable in its room's log, with the line that people read.</summary>
/// <param name="Event">The event; its bytes are valid only as long as the request that brought it.</param>
/// <param name="Time">The moment that the line begins with.</param>
/// <param name="Line">The rest of the line.</param>
internal readonly record struct WrittenLine(RoomEvent Event, DateTimeOffset Time, string Line);
