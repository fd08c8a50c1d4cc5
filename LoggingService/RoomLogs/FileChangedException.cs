namespace LoggingService.RoomLogs;

/// <summary>Another program changed, moved or removed a file of a log.</summary>
internal sealed class FileChangedException(string path) : IOException($"{path} was changed by another program");
