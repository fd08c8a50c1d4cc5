namespace LoggingService.Files;

/// <summary>
/// Writes a file so that its path never leads to a part of it: a temporary file in the same folder is synced, renamed, and
/// the folder synced. If that fails (<see cref="IOException"/>, <see cref="UnauthorizedAccessException"/>), the path leads to
/// what it led to before; only if the fsync of the folder failed is the new file in place, though it may not survive a power
/// cut. A crash leaves at most the temporary file.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Creates or replaces a file. Only one writer per path: the temporary file is always <c>{path}.new</c>.</summary>
    public static void Replace(string path, UnixFileMode mode, Action<FileStream> write)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        Write(temporary, path, mode, write, () => Posix.Rename(temporary, path));
    }

    /// <summary>Writes a new file. Safe next to other programs' files: the name of the temporary file is random.</summary>
    /// <exception cref="IOException">Also if the path exists, which is then left as it is.</exception>
    public static void Create(string path, UnixFileMode mode, Action<FileStream> write)
    {
        var temporary = $"{path}.{Guid.NewGuid().ToString("N")[..8]}.new";
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
