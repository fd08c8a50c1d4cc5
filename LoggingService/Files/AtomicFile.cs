using System.Security.Cryptography;

namespace LoggingService.Files;

/// <summary>
/// Writes a file so that its path never leads to a part of it. The content goes into a temporary file in the same folder,
/// created with its final mode, and the rename happens only after an fsync.
/// </summary>
/// <remarks>
/// When a method returns, content and name are durable. When it throws, the temporary file is deleted and the path leads to
/// what it led to before; only if the fsync of the folder failed is the new file in place, though not certain to survive a
/// power cut. Failures are <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>. A crash leaves at most
/// the temporary file.
/// </remarks>
internal static class AtomicFile
{
    /// <summary>
    /// Writes the file, over the existing one if there is one. Only one writer per path at a time: the temporary file is
    /// <c>{path}.new</c>, and one that a crash has left is deleted.
    /// </summary>
    public static void Replace(string path, UnixFileMode mode, Action<FileStream> write)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        Write(temporary, path, mode, write, () => Posix.Rename(temporary, path));
    }

    /// <summary>
    /// Writes a file that must not exist yet. Safe in folders and with writers that aren't ours: the temporary file,
    /// <c>{path}.{random}.new</c>, takes no existing name.
    /// </summary>
    /// <exception cref="IOException">Also if the path exists, which is then left as it is.</exception>
    public static void Create(string path, UnixFileMode mode, Action<FileStream> write)
    {
        var temporary = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.new";
        Write(temporary, path, mode, write, () => File.Move(temporary, path, overwrite: false));
    }

    private static void Write(string temporary, string path, UnixFileMode mode, Action<FileStream> write, Action rename)
    {
        // Created with its mode: a file that is narrowed later has been readable by others before.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, UnixCreateMode = mode };
        var file = new FileStream(temporary, options);
        try
        {
            using (file)
            {
                write(file);
                file.Flush();
                Posix.Sync(file.SafeFileHandle, temporary);
            }

            rename();
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        Posix.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
