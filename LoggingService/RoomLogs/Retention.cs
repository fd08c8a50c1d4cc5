using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Removes old days (<c>RetainDays</c>) of all rooms, including inactive ones, and of the quarantine.</summary>
internal static class Retention
{
    /// <summary>Removes records, texts, and texts that were moved aside; returns the number of files.</summary>
    /// <exception cref="IOException">A file can't be removed; those before it are gone.</exception>
    public static int RemoveDaysBefore(string root, DateOnly keepFrom)
    {
        var removed = 0;
        var folders = new DirectoryInfo(root).EnumerateDirectories().Where(IsLogFolder);
        foreach (var file in folders.SelectMany(folder => folder.EnumerateFiles().Where(file => IsBefore(keepFrom, file.Name)).ToList()))
        {
            file.Delete();
            removed++;
        }

        return removed;
    }

    private static bool IsLogFolder(DirectoryInfo folder) =>
        folder.LinkTarget is null && (folder.Name.StartsWith('!') || folder.Name == Quarantine.Folder);

    private static bool IsBefore(DateOnly keepFrom, string name) =>
        DayFileName.Parse(name) is { } file && file.Day < keepFrom
        && (file.IsRecord || file.IsText || file.Suffix is ".torn.jsonl" or ".jsonl.new" or ".log.new");
}
