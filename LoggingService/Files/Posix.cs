using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.Files;

/// <summary>
/// What durability needs and .NET lacks: an fsync that reports failures (<c>RandomAccess.FlushToDisk</c> swallows them), fsync
/// of a folder, rename over a link, the identity of a file. Failures are <see cref="IOException"/>s that name the path.
/// </summary>
internal static partial class Posix
{
    /// <summary>0640: log files are readable by the service's group.</summary>
    public const UnixFileMode LogFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private const uint FolderMode = 0x1E8;
    private const int NotFound = 2;
    private const int Interrupted = 4;
    private const int AccessDenied = 13;
    private const int NotAFolder = 20;
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint InodeAndSize = 0x100 | 0x200;
    private const uint FileType = 0x1;
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const FileShare Shared = FileShare.ReadWrite | FileShare.Delete;

    // Read only; a child process must not inherit the file.
    private static readonly int OpenFlags = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;
    private static readonly int AppendFlags = OpenFlags | 0x2 | (OperatingSystem.IsMacOS() ? 0x8 : 0x400);

    /// <summary>Equal values mean the same file of the same length. On macOS only the length is read.</summary>
    public readonly record struct FileIdentity(ulong Device, ulong Inode, long Length)
    {
        /// <summary>Compares without the length.</summary>
        public bool IsSameFileAs(FileIdentity other) => Device == other.Device && Inode == other.Inode;
    }

    /// <summary>Creates a folder with mode 0750, unless it exists.</summary>
    /// <param name="path">Of the folder.</param>
    /// <param name="withParents">Otherwise the parent must exist: the log directory is created with its lock only.</param>
    public static void CreateFolder(string path, bool withParents = false)
    {
        // Directory.CreateDirectory would create the parents, and with the mode of the umask.
        if (withParents && Path.GetDirectoryName(path) is { Length: > 0 } parent && !Directory.Exists(parent))
        {
            CreateFolder(parent, withParents);
        }

        var error = mkdir(path, FolderMode) == 0 ? 0 : Marshal.GetLastPInvokeError();
        if (error != 0 && !Directory.Exists(path))
        {
            var message = $"mkdir of {path} failed: {new Win32Exception(error).Message}";
            throw error == AccessDenied ? new UnauthorizedAccessException(message) : new IOException(message);
        }
    }

    /// <summary>Opens a file for reading and writing, created with mode 0640; fails while another process locks it (flock).</summary>
    public static SafeFileHandle OpenOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            // Only a stream's options can set a mode. A handle of open(2) would have neither the flock nor a path in its errors.
            new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = Shared,
                UnixCreateMode = LogFileMode,
            }).Dispose();
        }

        ThrowIfNotRegular(path);
        return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, Shared);
    }

    /// <summary>
    /// Opens a file as above, with O_APPEND: on Linux, all writes go to its end, also where another process has just truncated it and
    /// an offset would leave a hole. (macOS writes at the offset.)
    /// </summary>
    public static SafeFileHandle OpenToAppend(string path)
    {
        using var locked = OpenOrCreate(path);
        var file = Open(path, AppendFlags);
        return file.IsInvalid ? throw LastError("open", path) : file;
    }

    /// <summary>Opens a file for shared reading; fails only while another process holds it exclusively.</summary>
    public static FileStream OpenRead(string path)
    {
        ThrowIfNotRegular(path);
        return new(path, FileMode.Open, FileAccess.Read, Shared, bufferSize: 0);
    }

    /// <summary>Reads a short text file that another process may hold exclusively; <c>null</c> if it can't be opened.</summary>
    public static string? ReadIgnoringLock(string path)
    {
        using var file = OpenReadOnly(path);
        if (file.IsInvalid)
        {
            return null;
        }

        var bytes = new byte[32];
        return Encoding.ASCII.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0)).Trim();
    }

    /// <summary>fsync: returns when all writes to the file are on the disk.</summary>
    public static void Sync(SafeFileHandle file, string path) => Retry(fsync, "fsync", file, path);

    /// <summary>fdatasync: as above, but without the file's times, which would cost another write and, with a journal, a commit.</summary>
    public static void SyncData(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsLinux())
        {
            Retry(fdatasync, "fdatasync", file, path);
            return;
        }

        Sync(file, path);
    }

    /// <summary>fsync of a file by its path, or of the names in a folder; nothing if the path does not exist.</summary>
    public static void Sync(string path)
    {
        using var file = OpenToSync(path);
        if (file is not null)
        {
            Sync(file, path);
        }
    }

    /// <summary>Opens a file or a folder for <see cref="Sync(SafeFileHandle, string)"/>; <c>null</c> if the path does not exist.</summary>
    public static SafeFileHandle? OpenToSync(string path)
    {
        var file = OpenReadOnly(path);
        if (!file.IsInvalid)
        {
            return file;
        }

        return Marshal.GetLastPInvokeError() is NotFound or NotAFolder ? null : throw LastError("open", path);
    }

    /// <summary>syncfs: returns when the folder's whole file system is on the disk, including writes of other processes.</summary>
    public static void SyncFileSystem(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            sync();
            return;
        }

        using var opened = OpenToSync(folder);
        if (opened is not null)
        {
            Retry(syncfs, "syncfs", opened, folder);
        }
    }

    /// <summary>Cuts a file, durably.</summary>
    public static void Truncate(string path, long length)
    {
        using var file = OpenOrCreate(path);
        RandomAccess.SetLength(file, length);
        Sync(file, path);
    }

    /// <summary>rename(2): atomically replaces a file, or a link itself instead of its target.</summary>
    public static void Rename(string from, string to)
    {
        if (rename(from, to) != 0)
        {
            throw LastError("rename", from);
        }
    }

    /// <summary>The identity of the file at a path; <c>null</c> if there is none.</summary>
    public static FileIdentity? Stat(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            var file = new FileInfo(path);
            return file.Exists ? new FileIdentity(0, 0, file.Length) : null;
        }

        if (statx(CurrentFolder, path, flags: 0, InodeAndSize, out var result) == 0)
        {
            return Identity(result);
        }

        return Marshal.GetLastPInvokeError() == NotFound ? null : throw LastError("stat", path);
    }

    public static FileIdentity Stat(SafeFileHandle file, string path) =>
        OperatingSystem.IsLinux() ? Identity(Stat(file, path, InodeAndSize)) : new(0, 0, RandomAccess.GetLength(file));

    /// <summary>Refuses to open a named pipe or a device: opening or reading it may block forever.</summary>
    private static void ThrowIfNotRegular(string path)
    {
        if (OperatingSystem.IsLinux()
            && statx(CurrentFolder, path, flags: 0, FileType, out var result) == 0
            && (result.Mode & FileTypeMask) != RegularFile)
        {
            throw new IOException($"{path} is not a regular file");
        }
    }

    private static Statx Stat(SafeFileHandle file, string path, uint mask) =>
        statx(file, "", EmptyPath, mask, out var result) == 0 ? result : throw LastError("stat", path);

    private static FileIdentity Identity(Statx file) =>
        new(((ulong)file.DeviceMajor << 32) | file.DeviceMinor, file.Inode, (long)file.Size);

    private static SafeFileHandle OpenReadOnly(string path) => Open(path, OpenFlags);

    private static SafeFileHandle Open(string path, int flags)
    {
        var file = open(path, flags);
        while (file.IsInvalid && Marshal.GetLastPInvokeError() == Interrupted)
        {
            file = open(path, flags);
        }

        return file;
    }

    private static void Retry(Func<SafeFileHandle, int> call, string name, SafeFileHandle file, string path)
    {
        while (call(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw new SyncFailedException(LastError(name, path));
            }
        }
    }

    private static IOException LastError(string call, string path)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new($"{call} of {path} failed: {error.Message}", error);
    }

    /// <summary>struct statx of Linux, equal on all architectures (linux/stat.h); only the fields that are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

#pragma warning disable SYSLIB1054, IDE1006 // libc's names
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(SafeFileHandle file);

    [LibraryImport("libc")]
    private static partial void sync();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, out Statx result);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle file, string path, int flags, uint mask, out Statx result);
#pragma warning restore SYSLIB1054, IDE1006
}
