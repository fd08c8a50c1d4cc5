using System.Runtime.InteropServices;

namespace LoggingService.Files;

/// <summary>Shares of the process's limit of open files (RLIMIT_NOFILE): where it is exhausted, the runtime aborts.</summary>
internal static partial class OpenFileLimit
{
    private const long ReservedForLogs = 3_000;
    private const long ReservedForRuntime = 300;
    private const long Default = 1024;

    /// <summary>How many rooms may have their two files open; half of the limit is left to connections.</summary>
    public static int ForRooms => (int)Math.Clamp((Limit - ReservedForRuntime) / 4, 1, 1000);

    /// <summary>How many connections may be open; the server closes further ones.</summary>
    public static long ForConnections => Math.Max(Limit / 2, Limit - ReservedForLogs);

    private static long Limit =>
        getrlimit(OperatingSystem.IsMacOS() ? 8 : 7, out var limit) == 0 ? (long)Math.Min(limit.Soft, 1_000_000) : Default;

#pragma warning disable SYSLIB1054, IDE1006 // libc's names
    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, out ResourceLimit limit);
#pragma warning restore SYSLIB1054, IDE1006

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
