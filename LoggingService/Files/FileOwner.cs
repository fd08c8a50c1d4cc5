using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.Files;

/// <summary>The user and the group that a file belongs to, which .NET neither reads nor sets.</summary>
internal sealed partial record FileOwner(uint User, uint Group)
{
    private const int CurrentFolder = -100;
    private const uint UserAndGroup = 0x8 | 0x10;

    /// <summary>The owner of a file or a folder; <c>null</c> on macOS.</summary>
    /// <exception cref="IOException">There is none at the path.</exception>
    public static FileOwner? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        return statx(CurrentFolder, path, flags: 0, UserAndGroup, out var file) == 0
            ? new(file.User, file.Group)
            : throw new IOException($"stat of {path} failed: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    /// <summary>Makes an open file belong to this owner, unless it does.</summary>
    /// <exception cref="UnauthorizedAccessException">Only root may give a file away.</exception>
    public void ApplyTo(SafeFileHandle file, string path)
    {
        if (fchown(file, User, Group) != 0)
        {
            var reason = new Win32Exception(Marshal.GetLastPInvokeError()).Message;
            throw new UnauthorizedAccessException($"chown of {path} failed: {reason}");
        }
    }

    /// <summary>struct statx of Linux (linux/stat.h); only the fields that are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(20)] public uint User;
        [FieldOffset(24)] public uint Group;
    }

#pragma warning disable SYSLIB1054, IDE1006 // libc's names
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, out Statx result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeFileHandle file, uint user, uint group);
#pragma warning restore SYSLIB1054, IDE1006
}
