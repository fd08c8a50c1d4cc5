using System.Globalization;

namespace LoggingService.Systemd;

internal static class WatchdogTimeout
{
    /// <summary>The time in which systemd expects a notification, <c>null</c> if it expects none. (sd_watchdog_enabled(3))</summary>
    public static TimeSpan? Read()
    {
        var process = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        var isForUs = string.IsNullOrEmpty(process) || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isForUs && long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), CultureInfo.InvariantCulture, out var timeout)
            && timeout > 0
            ? TimeSpan.FromMicroseconds(timeout)
            : null;
    }
}
