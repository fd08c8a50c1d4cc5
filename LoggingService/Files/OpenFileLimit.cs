using System.Runtime.InteropServices;

namespace LoggingService.Files;

/// <summary>
/// How many files and connections the system lets this process open. Strangers must not use them up: without them nothing
/// can be written, and the runtime itself ends where it can't open what it needs.
/// </summary>
internal static partial class OpenFileLimit
{
    /// <summary>What the open rooms' files, the homeserver's connections and the runtime may need.</summary>
    private const long Ours = 3_000;

    /// <summary>How many rooms may have their two files open, at most a thousand: some 300 are the runtime's, and half of the rest is left to connections.</summary>
    public static int ForRooms => (int)Math.Clamp((Limit - 300) / 4, 1, 1000);

    /// <summary>How many connections may be open at a time; more are hung up on.</summary>
    public static long ForConnections => Math.Max(Limit / 2, Limit - Ours);

    private static long Limit =>
        getrlimit(OperatingSystem.IsMacOS() ? 8 : 7, out var limit) == 0 ? (long)Math.Min(limit.Soft, 1_000_000) : 1024;

#pragma warning disable SYSLIB1054, IDE1006 // libc's own name.
    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, out ResourceLimit limit);
#pragma warning restore SYSLIB1054, IDE1006

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
