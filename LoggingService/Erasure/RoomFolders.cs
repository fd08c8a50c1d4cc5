using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Erasure;

/// <summary>The folders of rooms in which an erasure searches.</summary>
internal static class RoomFolders
{
    /// <param name="only">The id of the room; <c>null</c> for all rooms.</param>
    /// <param name="notRead">Receives the folders that can't be searched.</param>
    public static List<RoomFolder> Find(string root, string? only, List<string> notRead)
    {
        if (only is not null)
        {
            return [Of(root, only)];
        }

        var folders = new List<RoomFolder>();
        foreach (var entry in new DirectoryInfo(root).EnumerateFileSystemInfos("!*").OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            // A file in place of a folder has nothing, unlike a folder on a disk that is not mounted.
            var isLink = entry.LinkTarget is not null;
            if (entry is not DirectoryInfo && !isLink)
            {
                continue;
            }

            if (!Directory.Exists(entry.FullName))
            {
                notRead.Add($"{entry.Name} is a link to a folder that does not exist");
            }
            else if (isLink && IsWithin(root, entry))
            {
                // It leads to a folder that is searched as well.
            }
            else if (RoomRecords.FindRoomId(entry.FullName) is { } roomId)
            {
                folders.Add(Of(root, roomId));
            }
            else
            {
                notRead.Add($"{entry.Name}: neither its name nor a readable record tells which room it is of");
            }
        }

        return folders;
    }

    public static RoomFolder Of(string root, string roomId) => new(root, roomId, TimeZoneInfo.Utc, NullLogger.Instance);

    private static bool IsWithin(string root, FileSystemInfo link) =>
        Path.GetDirectoryName(link.ResolveLinkTarget(returnFinalTarget: true)?.FullName) == Path.GetFullPath(root).TrimEnd('/');
}
