namespace LoggingService.Options;

/// <summary>
/// Ends the program with exit code 1: a later start may succeed without a change. The message is one line; the program prints it without
/// a stack trace.
/// </summary>
internal class FatalException(string message) : Exception(message.ReplaceLineEndings(" "));
