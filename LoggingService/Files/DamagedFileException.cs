namespace LoggingService.Files;

/// <summary>A compressed file can't be decompressed.</summary>
internal sealed class DamagedFileException(string path, string reason) : IOException($"{path} is damaged: {reason}");
