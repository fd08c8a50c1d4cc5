namespace LoggingService.Options;

/// <summary>
/// A mistake in what the admin configured. The message is one line that names what to mend (the key, or the file and
/// its line); the service prints it and exits with 1, without a stack trace.
/// </summary>
/// <param name="message">The line.</param>
internal sealed class ConfigurationException(string message) : Exception(message);
