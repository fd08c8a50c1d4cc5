namespace LoggingService.RoomLogs;

/// <summary>What is acknowledged and not yet synced into the rooms' files.</summary>
/// <param name="Bytes">The size of the journal's segments.</param>
/// <param name="OldestAge">Since when the oldest entry waits for the writer.</param>
internal readonly record struct Backlog(long Bytes, TimeSpan OldestAge);
