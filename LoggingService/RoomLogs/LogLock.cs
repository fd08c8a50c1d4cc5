using System.Globalization;
using LoggingService.Configuration;

namespace LoggingService.RoomLogs;

/// <summary>The log directory has one writer: <c>logs/.lock</c> is locked (flock) as long as a service runs.</summary>
internal static class LogLock
{
    /// <summary>Makes the directory if it isn't there, and takes its lock; held until the stream is disposed of, or the process ends.</summary>
    /// <exception cref="Misconfiguration">The directory can't be made or written to, or another service holds the lock.</exception>
    public static FileStream Take(string root)
    {
        var path = Path.Combine(root, ".lock");
        try
        {
            Disk.CreateFolder(root);
            Disk.OpenOrCreate(path).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Misconfiguration($"LoggingService:Logs: the log directory {root} can't be written to: {e.Message}");
        }

        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            return file;
        }
        catch (IOException)
        {
            using var holder = new StreamReader(Disk.OpenRead(path));
            throw new Misconfiguration($"LoggingService:Logs: another LoggingService (process {holder.ReadToEnd().Trim()}) is writing to {root}; stop it, or give this one another directory.");
        }
    }
}
