using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.Files;

/// <summary>
/// What the durability of the logs rests on and .NET doesn't offer: an fsync whose failure is told
/// (<c>FileStream.Flush(true)</c> and <c>RandomAccess.FlushToDisk</c> swallow it), an fsync of a folder, a rename that
/// replaces a link, and which file a path leads to. Failures are <see cref="IOException"/>s that name the path.
/// </summary>
internal static partial class Posix
{
    private const UnixFileMode FileMode0640 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private const UnixFileMode FolderMode0750 = FileMode0640 | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;

    /// <summary>Which file it is, and how long: two paths or handles with equal values are the same file, untouched by others.</summary>
    /// <param name="Device">The file system's number.</param>
    /// <param name="Inode">The file's number on it; 0 where the operating system wasn't asked (macOS).</param>
    /// <param name="Length">Bytes.</param>
    public readonly record struct FileIdentity(ulong Device, ulong Inode, long Length)
    {
        /// <summary>Whether it is the same file, however long.</summary>
        public bool IsSameFileAs(FileIdentity other) => Device == other.Device && Inode == other.Inode;
    }

    /// <summary>Makes a folder and those above it that are missing, mode 0750.</summary>
    public static void CreateFolder(string path) => Directory.CreateDirectory(path, FolderMode0750);

    /// <summary>Opens a file to read and write, made with mode 0640 if it isn't there; takes a shared lock, which shuts out only those who want it for themselves.</summary>
    public static SafeFileHandle OpenOrCreate(string path)
    {
        // The stream is only the way to give a mode; its handle outlives it.
        var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = FileMode0640,
        });
        return stream.SafeFileHandle;
    }

    /// <summary>Opens a file to read it, whoever else has it open, unless for himself alone.</summary>
    public static FileStream OpenRead(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    /// <summary>What a short text file says that somebody else has locked, which no .NET stream would open.</summary>
    public static string ReadLocked(string path)
    {
        using var file = open(path, flags: 0);
        var bytes = new byte[32];
        return file.IsInvalid ? "unknown" : System.Text.Encoding.ASCII.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0)).Trim();
    }

    /// <summary>fsync: returns when all that was written to the file is on the disk.</summary>
    public static void Sync(SafeFileHandle file, string path)
    {
        if (fsync(file) != 0)
        {
            throw Failed("sync", path);
        }
    }

    /// <summary>fsync of a file by its path, or of a folder: of the names in it.</summary>
    /// <returns>False if there is nothing at the path.</returns>
    public static bool Sync(string path)
    {
        using var file = OpenToSync(path);
        if (file is not null)
        {
            Sync(file, path);
        }

        return file is not null;
    }

    /// <summary>Opens a file or a folder for <see cref="Sync(SafeFileHandle, string)"/>; <c>null</c> if there is nothing at the path.</summary>
    public static SafeFileHandle? OpenToSync(string path)
    {
        var file = open(path, flags: 0);
        if (!file.IsInvalid)
        {
            return file;
        }

        return Marshal.GetLastPInvokeError() is NoEntry or NoFolder ? null : throw Failed("open", path);
    }

    /// <summary>syncfs: returns when the folder's whole file system is on the disk, whoever wrote to it; the folder's own name and those above it too.</summary>
    public static void SyncAll(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            sync();
            return;
        }

        using var opened = OpenToSync(folder);
        if (opened is not null && syncfs(opened) != 0)
        {
            throw Failed("sync", folder);
        }
    }

    /// <summary>rename(2): the new name leads to the file in one step, whatever it led to before, a link too.</summary>
    public static void Rename(string from, string to)
    {
        if (rename(from, to) != 0)
        {
            throw Failed("rename", from);
        }
    }

    /// <summary>Makes a symbolic link, in place of the link that may be there.</summary>
    /// <returns>False if the link was there and led to the target already.</returns>
    /// <exception cref="IOException">It can't be made, or something that is no link has the name.</exception>
    public static bool ReplaceLink(string link, string target)
    {
        var there = new FileInfo(link);
        if (there.LinkTarget == target)
        {
            return false;
        }

        if (there.LinkTarget is null)
        {
            if (there.Exists || Directory.Exists(link))
            {
                throw new IOException($"{link} is no link: it was left as it is");
            }

            File.CreateSymbolicLink(link, target);
            return true;
        }

        var made = Path.Combine(Path.GetDirectoryName(link)!, $".{Path.GetRandomFileName()}.link");
        File.CreateSymbolicLink(made, target);
        try
        {
            Rename(made, link);
        }
        catch
        {
            File.Delete(made);
            throw;
        }

        return true;
    }

    /// <summary>The file that a path leads to now; <c>null</c> if there is none.</summary>
    public static unsafe FileIdentity? Stat(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            var file = new FileInfo(path);
            return file.Exists ? new FileIdentity(0, 0, file.Length) : null;
        }

        Statx found;
        if (statx(CurrentFolder, path, flags: 0, InodeAndSize, &found) == 0)
        {
            return State(found);
        }

        return Marshal.GetLastPInvokeError() == NoEntry ? null : throw Failed("stat", path);
    }

    /// <summary>The file that is open.</summary>
    public static FileIdentity Stat(SafeFileHandle file, string path) =>
        OperatingSystem.IsLinux() ? State(Stat(file, path, InodeAndSize)) : new(0, 0, RandomAccess.GetLength(file));

    /// <summary>Whether an open file has no name any more: what is written into it goes with it. (Not known on macOS.)</summary>
    public static bool IsRemoved(SafeFileHandle file, string path) => OperatingSystem.IsLinux() && Stat(file, path, Links).Links == 0;

    private const int NoEntry = 2;
    private const int NoFolder = 20;
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint Links = 0x4;
    private const uint InodeAndSize = 0x100 | 0x200;

    private static unsafe Statx Stat(SafeFileHandle file, string path, uint what)
    {
        var taken = false;
        try
        {
            file.DangerousAddRef(ref taken);
            Statx found;
            return statx((int)file.DangerousGetHandle(), "", EmptyPath, what, &found) == 0 ? found : throw Failed("stat", path);
        }
        finally
        {
            if (taken)
            {
                file.DangerousRelease();
            }
        }
    }

    private static FileIdentity State(Statx found) => new(((ulong)found.DeviceMajor << 32) | found.DeviceMinor, found.Inode, (long)found.Size);

    private static IOException Failed(string call, string path)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new($"{call} of {path} failed: {error.Message}", error);
    }

    /// <summary>struct statx of Linux, the same on every architecture (linux/stat.h); only what is read here has a name.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(16)]
        public uint Links;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }

#pragma warning disable SYSLIB1054, IDE1006 // libc's own names
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(SafeFileHandle file);

    [LibraryImport("libc")]
    private static partial void sync();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(int folder, string path, int flags, uint mask, Statx* found);
#pragma warning restore SYSLIB1054, IDE1006
}
