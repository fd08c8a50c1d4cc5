using System.Text;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>The log directory has one writer: <c>logs/.lock</c> is locked (flock) as long as a service runs.</summary>
internal static class LogDirectoryLock
{
    public const string Name = ".lock";

    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    /// <summary>Creates the directory if necessary, and locks it until the stream is disposed or the process ends.</summary>
    /// <exception cref="ConfigurationException">The directory is not writable, or another service holds the lock.</exception>
    public static FileStream Acquire(string root)
    {
        try
        {
            return Reacquire(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(File.Exists(root)
                ? $"LoggingService:Logs: {root} is a file, not a folder."
                : $"LoggingService:Logs: {root} is not writable: {e.Message} "
                + "Grant the service's user write access, or choose another folder (--logs).");
        }
    }

    /// <summary>As <see cref="Acquire"/>, but for a directory that was writable before.</summary>
    /// <exception cref="ConfigurationException">Another service holds the lock.</exception>
    /// <exception cref="IOException">The directory is not writable.</exception>
    public static FileStream Reacquire(string root)
    {
        var path = Path.Combine(root, Name);
        try
        {
            Posix.CreateFolder(root);
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
        catch (IOException e) when (e.HResult is WouldBlockOnLinux or WouldBlockOnMac)
        {
            var process = Posix.ReadIgnoringLock(path) ?? "unknown";
            throw new ConfigurationException($"LoggingService:Logs: another LoggingService (process {process}) is writing to {root}. "
                + "Stop it, or choose another folder (--logs).");
        }
    }

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
