using LoggingService.Files;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>The index has one writer, which locks <c>logs/.index/lock</c> (flock), and whom others can ask to build it again.</summary>
internal static class IndexLock
{
    private const string Name = "lock";
    private const string Request = "rebuild";
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    /// <summary>Locks the index until the stream is disposed or the process ends; <c>null</c> while another process does.</summary>
    /// <exception cref="IOException">The folder can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public static FileStream? TryAcquire(string root)
    {
        var folder = Path.Combine(root, HiddenEvents.FolderName);
        Posix.CreateFolder(folder);
        try
        {
            return new FileStream(Path.Combine(folder, Name), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = Posix.LogFileMode,
            });
        }
        catch (IOException e) when (e.HResult is WouldBlockOnLinux or WouldBlockOnMac)
        {
            return null;
        }
    }

    /// <summary>Asks the process that holds the lock to build the index again.</summary>
    public static void RequestRebuild(string root) =>
        AtomicFile.Replace(RequestPath(root), Posix.LogFileMode, _ => { });

    /// <summary>Whether another process asked for it, since the last call.</summary>
    public static bool TakeRequest(string root)
    {
        var path = RequestPath(root);
        if (!File.Exists(path))
        {
            return false;
        }

        File.Delete(path);
        return true;
    }

    private static string RequestPath(string root) => Path.Combine(root, HiddenEvents.FolderName, Request);
}
