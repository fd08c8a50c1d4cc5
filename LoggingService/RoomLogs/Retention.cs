namespace LoggingService.RoomLogs;

/// <summary>Removes old days (<c>RetainDays</c>): of every room, also of those that have long been quiet, and of the quarantine.</summary>
internal static class Retention
{
    /// <summary>Removes the files whose names begin with a day before another: records, texts, and texts that were set aside.</summary>
    /// <param name="root">The log directory.</param>
    /// <param name="keepFrom">The first day that stays.</param>
    /// <returns>How many files were removed.</returns>
    /// <exception cref="IOException">One can't be removed; those before it are gone.</exception>
    public static int RemoveDaysBefore(string root, DateOnly keepFrom)
    {
        var removed = 0;
        foreach (var folder in new DirectoryInfo(root).EnumerateDirectories().Where(folder => IsOurs(folder)))
        {
            foreach (var file in folder.EnumerateFiles().Where(file => RoomLog.ParseDay(file.Name) < keepFrom && IsDay(file.Name)).ToList())
            {
                file.Delete();
                removed++;
            }
        }

        return removed;
    }

    private static bool IsOurs(DirectoryInfo folder) => folder.LinkTarget is null && (folder.Name.StartsWith('!') || folder.Name == Quarantine.Folder);

    private static bool IsDay(string name) =>
        name[8..] is ".log" or ".jsonl" or Quarantine.TornSuffix || name[8..].StartsWith(".log.old", StringComparison.Ordinal);
}
