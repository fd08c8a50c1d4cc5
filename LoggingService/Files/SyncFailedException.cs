namespace LoggingService.Files;

/// <summary>An fsync failed. Linux then marks the pages of the file as clean: it must be written again, as a new file.</summary>
internal sealed class SyncFailedException(IOException cause) : IOException(cause.Message, cause);
