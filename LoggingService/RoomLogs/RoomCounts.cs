namespace LoggingService.RoomLogs;

/// <summary>How many rooms have an open log, and how many are parked: their files fail, or wait for a repair.</summary>
internal sealed record RoomCounts(int Open, int Parked);
