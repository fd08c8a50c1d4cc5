namespace LoggingService.Tests.Support;

/// <summary>The numbers of signals, equal on Linux and macOS.</summary>
internal static class Signals
{
    /// <summary>SIGHUP: the terminal was closed.</summary>
    public const int Hangup = 1;

    /// <summary>SIGINT: Ctrl-C.</summary>
    public const int Interrupt = 2;

    public const int Kill = 9;

    public const int Terminate = 15;
}
