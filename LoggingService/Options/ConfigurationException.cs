namespace LoggingService.Options;

/// <summary>
/// An error in the configuration. The message is one line that names the key, or the file and its line; the program prints it
/// without a stack trace and exits with 1.
/// </summary>
internal sealed class ConfigurationException(string message) : Exception(message);
