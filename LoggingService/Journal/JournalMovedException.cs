namespace LoggingService.Journal;

/// <summary>The journal's folder, or the log directory, is not the one that was opened: it must be created again.</summary>
internal sealed class JournalMovedException(string message) : IOException(message);
