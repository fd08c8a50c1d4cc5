using System.Runtime.InteropServices;

namespace LoggingService.Files;

/// <summary>SIGHUP, which by default would kill the process: the kernel sends it when the terminal is closed.</summary>
internal static class HangupSignal
{
    /// <summary>With a terminal, SIGHUP stops the service; without one it reloads the settings, or is ignored.</summary>
    public static IDisposable Handle(Action stop, Action? reload)
    {
        // Asked now: a terminal that was closed is none any more.
        var hasTerminal = !(Console.IsInputRedirected && Console.IsOutputRedirected && Console.IsErrorRedirected);
        return PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            if (hasTerminal)
            {
                stop();
            }
            else
            {
                reload?.Invoke();
            }
        });
    }
}
