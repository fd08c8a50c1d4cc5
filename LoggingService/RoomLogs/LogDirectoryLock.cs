using System.Diagnostics;
using System.Text;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>The log directory has one writer: <c>logs/.lock</c> is locked (flock) as long as a service runs.</summary>
internal static class LogDirectoryLock
{
    public const string Name = ".lock";

    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    /// <summary>A command that looks whether a service runs holds the lock for a moment.</summary>
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Creates the directory if necessary, and locks it until the stream is disposed or the process ends.</summary>
    /// <exception cref="FatalException">The directory is not writable, or another service holds the lock.</exception>
    public static FileStream Acquire(string root)
    {
        try
        {
            return Reacquire(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(root))
            {
                throw new ConfigurationException($"{root} is a file, not a folder. Choose another folder for the logs (--logs).");
            }

            // A full or missing disk may be repaired.
            var message = $"The log directory {root} is not writable: {e.Message}";
            throw e is UnauthorizedAccessException
                ? new ConfigurationException($"{message} Grant {CurrentUser.Name} write access, or choose another folder (--logs).")
                : new FatalException(message);
        }
    }

    /// <summary>As <see cref="Acquire"/>, but for a directory that was writable before.</summary>
    /// <exception cref="FatalException">Another service holds the lock.</exception>
    public static FileStream Reacquire(string root)
    {
        var path = Path.Combine(root, Name);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return Open(root, path);
            }
            catch (IOException e) when (IsLocked(e) && Stopwatch.GetElapsedTime(started) < RetryTime)
            {
                Thread.Sleep(RetryInterval);
            }
            catch (IOException e) when (IsLocked(e))
            {
                var process = Posix.ReadIgnoringLock(path) ?? "unknown";
                throw new FatalException(
                    $"Another LoggingService (process {process}) is writing to {root}. Stop it, or choose another folder (--logs).");
            }
        }
    }

    /// <summary>Whether a service writes to the directory; <c>null</c> if this user has no access to it. Creates nothing.</summary>
    public static bool? IsHeld(string root)
    {
        try
        {
            // A shared lock: other commands may look at the same time.
            new FileStream(Path.Combine(root, Name), FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0).Dispose();
            return false;
        }
        catch (IOException e) when (IsLocked(e))
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static FileStream Open(string root, string path)
    {
        Posix.CreateFolder(root, withParents: true);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
            UnixCreateMode = Posix.LogFileMode,
        });
        Sign(file);
        return file;
    }

    private static bool IsLocked(IOException e) => e.HResult is WouldBlockOnLinux or WouldBlockOnMac;

    /// <summary>Writes the process id for the error message of a second service; left out on a full disk.</summary>
    private static void Sign(FileStream file)
    {
        try
        {
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes($"{Environment.ProcessId}"));
        }
        catch (IOException)
        {
        }
    }
}
