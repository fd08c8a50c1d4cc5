using System.Globalization;
using System.Text;
using LoggingService.Files;
using LoggingService.Options;

namespace LoggingService.RoomLogs;

/// <summary>The log directory has one writer: <c>logs/.lock</c> is locked (flock) as long as a service runs.</summary>
internal static class LogLock
{
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    /// <summary>Creates the directory if necessary, and locks it until the stream is disposed or the process ends.</summary>
    /// <exception cref="ConfigurationException">The directory is not writable, or another service holds the lock.</exception>
    public static FileStream Take(string root)
    {
        var path = Path.Combine(root, ".lock");
        try
        {
            Posix.CreateFolder(root);
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = FileModes.LogFile,
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(File.Exists(root)
                ? $"LoggingService:Logs: {root} is a file, and must be a folder."
                : $"LoggingService:Logs: {root} can't be written to: {e.Message} Let the service's user write there, or choose another folder (--logs).");
        }
    }

    /// <summary>Says who has the lock. On a full disk nobody does; the service starts, and the homeserver is told to wait.</summary>
    private static void Sign(FileStream file)
    {
        try
        {
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        }
        catch (IOException)
        {
            // The lock is what counts.
        }
    }
}
