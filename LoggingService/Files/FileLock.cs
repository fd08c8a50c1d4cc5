using System.Diagnostics;

namespace LoggingService.Files;

/// <summary>
/// A short lock between processes (flock) for a file that is read, changed and replaced. The lock file stays: one that is deleted could be
/// locked by two processes, each with a file of its own.
/// </summary>
internal static class FileLock
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Locks a file until the stream is disposed. It belongs to the owner of its folder.</summary>
    /// <param name="path">The lock file, which is created if necessary.</param>
    /// <param name="owner">The owner that the lock file gets.</param>
    /// <exception cref="IOException">It stays locked, or can't be created.</exception>
    public static FileStream Acquire(string path, FileOwner? owner)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return Open(path, owner);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && Stopwatch.GetElapsedTime(started) < Timeout)
            {
                // Held, or created by root a moment ago and not yet given to its owner.
                Thread.Sleep(RetryInterval);
            }
        }
    }

    private static FileStream Open(string path, FileOwner? owner)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
            UnixCreateMode = OwnerOnly,
        });
        owner?.ApplyTo(file.SafeFileHandle, path);
        return file;
    }
}
