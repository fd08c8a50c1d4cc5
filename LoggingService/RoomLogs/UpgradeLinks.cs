using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Links an upgraded room's folder to that of its replacement, <c>next</c>, and back, <c>previous</c>.</summary>
internal sealed partial class UpgradeLinks(LogDirectory logs, ILogger<UpgradeLinks> logger)
{
    public const string Next = "next";
    public const string Previous = "previous";

    /// <summary>Bytes at the end of a record that are searched for an upgrade that was not followed.</summary>
    private const int LookBack = 256 * 1024;

    /// <summary>Creates the links. A failure is logged: both rooms are logged without them, and the next start retries it.</summary>
    public void Link(string oldRoom, string replacement)
    {
        var (oldFolder, newFolder) = (FolderName.ForRoom(oldRoom), FolderName.ForRoom(replacement));
        try
        {
            Link(newFolder, Previous, oldFolder);

            // The last one: it tells that the upgrade was followed.
            Link(oldFolder, Next, newFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.UpgradeLinkFailed(logger, oldRoom, replacement, e.Message);
        }
    }

    /// <summary>The upgrades of rooms that an earlier process has not followed: the events, without those that were refused.</summary>
    public IEnumerable<RoomEvent> FindPending()
    {
        foreach (var folder in new DirectoryInfo(logs.Root).EnumerateDirectories("!*"))
        {
            if (folder.LinkTarget is null
                && new FileInfo(Path.Combine(folder.FullName, Next)).LinkTarget is null
                && FindTombstone(folder.FullName) is { } tombstone)
            {
                yield return tombstone;
            }
        }
    }

    private static RoomEvent? FindTombstone(string folder)
    {
        try
        {
            if (DayFileName.In(folder).Where(name => name.IsRecord).Max(name => (DateOnly?)name.Day) is not { } day)
            {
                return null;
            }

            using var file = DayFile.Open(Path.Combine(folder, DayFileName.Record(day).ToString()));
            var tombstone = RecordReader.Newest(
                file.ReadAt,
                file.Length,
                "m.room.tombstone"u8.ToArray(),
                e => e is { IsNote: false, Type: "m.room.tombstone", StateKey: "" },
                LookBack);
            var refusal = RecordReader.Newest(
                file.ReadAt,
                file.Length,
                ",\"note\":true}"u8.ToArray(),
                e => e is { IsNote: true, Type: Note.UpgradeRefused },
                LookBack);
            return tombstone?.Offset > (refusal?.Offset ?? -1) ? tombstone.Value.Event : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Link(string folder, string name, string target)
    {
        var path = Path.Combine(logs.Root, folder);
        Posix.CreateFolder(path);
        if (SymbolicLink.Replace(Path.Combine(path, name), Path.Combine("..", target)))
        {
            Posix.Sync(path);
            Posix.Sync(logs.Root);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.UpgradeLinkFailed, LogLevel.Warning,
            "Failed to link {RoomId} and its replacement {Replacement}: {Reason}. Both are logged.")]
        public static partial void UpgradeLinkFailed(ILogger logger, string roomId, string replacement, string reason);
    }
}
