using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Removes old days (<c>RetainDays</c>) of all rooms, including inactive ones, and of the quarantine.</summary>
internal static class Retention
{
    /// <summary>The ids of a removed day are known for this many days more: the event may be resent.</summary>
    private const int IdsKeptDays = 31;

    /// <summary>
    /// Removes records, texts, texts that were moved aside, what a crash left of them, and damaged bytes; returns the number of files.
    /// </summary>
    /// <exception cref="IOException">A file can't be removed; those before it are gone.</exception>
    public static int RemoveDaysBefore(string root, DateOnly keepFrom)
    {
        var removed = 0;
        var folders = new DirectoryInfo(root).EnumerateDirectories().Where(IsLogFolder);
        foreach (var file in folders.SelectMany(folder => folder.EnumerateFiles().Where(file => IsBefore(keepFrom, file)).ToList()))
        {
            file.Delete();
            removed++;
        }

        return removed;
    }

    private static bool IsLogFolder(DirectoryInfo folder) =>
        folder.LinkTarget is null && (folder.Name.StartsWith('!') || folder.Name == Quarantine.Folder);

    private static bool IsBefore(DateOnly keepFrom, FileInfo file)
    {
        if (DayFileName.Parse(file.Name) is not { } name)
        {
            return file.Extension == ".bin" && DateOnly.FromDateTime(file.LastWriteTime) < keepFrom;
        }

        return name.IsIds || name.Suffix == ".ids.new"
            ? name.Day < keepFrom.AddDays(-IdsKeptDays)
            : name.Day < keepFrom
                && (name.IsRecord || name.IsText || name.Suffix is ".torn.jsonl" or ".jsonl.new" or ".log.new");
    }
}
