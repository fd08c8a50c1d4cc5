namespace LoggingService.RoomLogs;

/// <summary>A durable event and its line. The event's bytes are valid only during the request.</summary>
internal readonly record struct WrittenLine(RoomEvent Event, DateTimeOffset Time, string Line);
