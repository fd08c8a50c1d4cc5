using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LoggingService.Files;

/// <summary>What a file system has left for this process; <see cref="long.MaxValue"/> inodes where their number has no limit.</summary>
internal readonly partial record struct FreeSpace(long Bytes, long Inodes)
{
    private const int NotFound = 2;
    private const int NotAFolder = 20;

    /// <summary>The free space of the file system of a path; <c>null</c> if the path does not exist.</summary>
    /// <exception cref="IOException">The file system does not tell.</exception>
    public static FreeSpace? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            // APFS has no fixed number of inodes, and macOS's statvfs counts with 32 bits.
            return Path.Exists(path) ? new FreeSpace(new DriveInfo(path).AvailableFreeSpace, long.MaxValue) : null;
        }

        if (statvfs(path, out var result) == 0)
        {
            return new FreeSpace(
                (long)Math.Min(result.FragmentSize * result.AvailableFragments, long.MaxValue),
                result.Inodes == 0 ? long.MaxValue : (long)result.AvailableInodes);
        }

        var error = Marshal.GetLastPInvokeError();
        return error is NotFound or NotAFolder
            ? null
            : throw new IOException($"statvfs of {path} failed: {new Win32Exception(error).Message}");
    }

    /// <summary>struct statvfs of 64-bit Linux, equal in glibc and musl; only the fields that are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Statvfs
    {
        [FieldOffset(8)] public ulong FragmentSize;
        [FieldOffset(32)] public ulong AvailableFragments;
        [FieldOffset(40)] public ulong Inodes;
        [FieldOffset(56)] public ulong AvailableInodes;
    }

#pragma warning disable SYSLIB1054, IDE1006 // libc's names
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statvfs(string path, out Statvfs result);
#pragma warning restore SYSLIB1054, IDE1006
}
