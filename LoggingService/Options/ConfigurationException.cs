namespace LoggingService.Options;

/// <summary>
/// An error in the configuration, which a restart does not fix: exit code 78 (EX_CONFIG of sysexits.h). The message names the key, or the
/// file and its line.
/// </summary>
internal sealed class ConfigurationException(string message) : FatalException(message);
