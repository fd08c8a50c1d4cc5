namespace LoggingService.RoomLogs;

/// <summary>A durable event and its line.</summary>
internal readonly record struct WrittenLine(RoomEvent Event, DateTimeOffset Time, string Line);
