using System.Globalization;
using System.Text;
using LoggingService.Files;

namespace LoggingService.History;

/// <summary>
/// Up to when all rooms' histories were compared with their logs, except for <see cref="OpenRooms"/>, in <c>logs/.history/checked</c>: a
/// start compares what is later, also after a crash in a comparison.
/// </summary>
internal sealed class CheckedTime(LoggingServiceOptions options)
{
    /// <summary>The folder in the log directory for what the fetching of history needs.</summary>
    public const string FolderName = ".history";

    private readonly string _path = Path.Combine(options.Logs, FolderName, "checked");

    /// <summary>In milliseconds since 1970; <c>null</c> before the first comparison.</summary>
    public long? Read()
    {
        try
        {
            return long.TryParse(File.ReadAllText(_path), CultureInfo.InvariantCulture, out var time) ? time : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Notes that what was received between two times was compared. Best effort: otherwise it is compared again.</summary>
    public void Advance(long since, long through)
    {
        if (Read() < since)
        {
            return;
        }

        try
        {
            Posix.CreateFolder(Path.GetDirectoryName(_path)!);
            AtomicFile.Replace(
                _path, Posix.LogFileMode, file => file.Write(Encoding.ASCII.GetBytes(through.ToString(CultureInfo.InvariantCulture))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk.
        }
    }
}
