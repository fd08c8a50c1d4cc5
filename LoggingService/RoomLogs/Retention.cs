using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Removes old days (<c>RetainDays</c>, <c>MaxBytes</c>) of all rooms, including inactive ones, and of the quarantine.</summary>
internal static class Retention
{
    /// <summary>
    /// Removes all files whose names begin with the date of an old day, also those that other programs made of them, and damaged bytes;
    /// then the rooms' folders that have no day left, with their links. Returns the number of files.
    /// </summary>
    /// <param name="only">The name of the folder to look at; <c>null</c> for all.</param>
    /// <param name="removing">Called once before the first file of a room is removed, other than its ids.</param>
    /// <param name="isMember">Whether our user is a member of the room of a folder: then the room must not get its notice again.</param>
    /// <param name="removingDays">Called with the name of a room's folder before its records are removed.</param>
    /// <param name="folderRemoved">Called with the name of a room's folder after its last file was removed.</param>
    /// <exception cref="IOException">
    /// A file can't be removed; those before it are gone. Or <paramref name="removingDays"/> threw for a room, whose days stay.
    /// </exception>
    public static int RemoveDaysBefore(
        string root, DateOnly keepFrom, string? only = null, Action? removing = null, Predicate<string>? isMember = null,
        Action<string, IReadOnlyCollection<DateOnly>>? removingDays = null, Action<string>? folderRemoved = null)
    {
        var removed = 0;
        IOException? failed = null;
        foreach (var folder in LogFolders(root).Where(folder => only is null || folder.Name == only).ToList())
        {
            var isRoom = folder.Name != Quarantine.Folder;
            var files = FilesOf(folder).Where(file => IsBefore(keepFrom, file)).ToList();
            var records = files.Select(file => DayFileName.Parse(file.Name)).OfType<DayFileName>().Where(name => name.IsRecord);
            if (isRoom && records.Select(name => name.Day).Distinct().ToList() is { Count: > 0 } days)
            {
                try
                {
                    removingDays?.Invoke(folder.Name, days);
                }
                catch (IOException e)
                {
                    // The other rooms do not wait for it.
                    failed ??= e;
                    continue;
                }
            }

            foreach (var file in files)
            {
                if (isRoom && DayFileName.Parse(file.Name) is { IsRecord: true, Day: var day } && AreIdsKept(keepFrom, day))
                {
                    KnownEvents.EnsureSaved(folder.FullName, day);
                }

                if (isRoom && !IsIds(file.Name))
                {
                    removing?.Invoke();
                    removing = null;
                }

                file.Delete();
                removed++;
            }

            if (isRoom)
            {
                TryRemoveEmpty(folder, keepFrom, isMember, folderRemoved);
            }
        }

        return failed is null ? removed : throw failed;
    }

    /// <summary>
    /// The first day to keep, so that what is left has at most a number of bytes; <c>null</c> if no day need be removed. Today's files
    /// always stay.
    /// </summary>
    /// <exception cref="IOException">A folder can't be read.</exception>
    public static DateOnly? FindFirstKept(string root, long maxBytes, DateOnly today)
    {
        var total = 0L;
        var removable = new SortedDictionary<DateOnly, long>();
        foreach (var file in LogFolders(root).SelectMany(FilesOf))
        {
            if (file.LinkTarget is null && file.Exists)
            {
                total += file.Length;
                var day = DayFileName.Parse(file.Name)?.Day ?? DateOnly.FromDateTime(file.LastWriteTime);
                if (day < today && !IsIds(file.Name) && IsBefore(today, file))
                {
                    removable[day] = removable.GetValueOrDefault(day) + file.Length;
                }
            }
        }

        DateOnly? keepFrom = null;
        foreach (var (day, bytes) in removable.TakeWhile(_ => total > maxBytes))
        {
            total -= bytes;
            keepFrom = day.AddDays(1);
        }

        return keepFrom;
    }

    /// <summary>The files of a room that would be removed, without the ids.</summary>
    public static IEnumerable<FileInfo> FindDaysBefore(string folder, DateOnly keepFrom) =>
        FilesOf(new DirectoryInfo(folder)).Where(file => !IsIds(file.Name) && IsBefore(keepFrom, file));

    /// <summary>The files of a folder, some of which may be removed or compressed meanwhile; none if the folder was removed.</summary>
    private static FileInfo[] FilesOf(DirectoryInfo folder)
    {
        try
        {
            return folder.GetFiles();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static IEnumerable<DirectoryInfo> LogFolders(string root) => new DirectoryInfo(root).EnumerateDirectories()
        .Where(folder => folder.LinkTarget is null && (folder.Name.StartsWith('!') || folder.Name == Quarantine.Folder));

    private static bool IsIds(string name) => DayFileName.Parse(name) is { } day && (day.IsIds || day.Suffix == ".ids.new");

    private static bool IsBefore(DateOnly keepFrom, FileInfo file)
    {
        if (DayFileName.Parse(file.Name) is not { } name || name.Suffix is [>= '0' and <= '9', ..])
        {
            // Damaged bytes, and segments of the journal that could not be read.
            return (file.Extension == ".bin" || file.Name.StartsWith("journal-", StringComparison.Ordinal))
                && file.Directory!.Name == Quarantine.Folder
                && DateOnly.FromDateTime(file.LastWriteTime) < keepFrom;
        }

        return IsIds(file.Name) ? !AreIdsKept(keepFrom, name.Day) : name.Day < keepFrom;
    }

    /// <summary>The ids of a removed day are known for as many days more: the event may be resent.</summary>
    private static bool AreIdsKept(DateOnly keepFrom, DateOnly day) => day >= keepFrom.AddDays(-KnownEvents.Days);

    private static void TryRemoveEmpty(DirectoryInfo folder, DateOnly keepFrom, Predicate<string>? isMember, Action<string>? removed)
    {
        try
        {
            RemoveEmpty(folder, keepFrom, isMember, removed);
        }
        catch (DirectoryNotFoundException)
        {
            // Another program removed it meanwhile.
        }
    }

    /// <summary>Whether an entry of a room's folder goes with its last day.</summary>
    private static bool GoesWithDays(FileSystemInfo entry) => entry.LinkTarget is null
        ? entry.Name == RoomFolder.Properties
        : entry.Name is (RoomFolder.Latest or UpgradeLinks.Next or UpgradeLinks.Previous);

    /// <summary>Removes a room's folder that has no day left, and the links of aliases to it.</summary>
    private static void RemoveEmpty(DirectoryInfo folder, DateOnly keepFrom, Predicate<string>? isMember, Action<string>? removed)
    {
        var latest = new FileInfo(Path.Combine(folder.FullName, RoomFolder.Latest));

        // Without the link it may be the folder of a room whose first event is yet to come.
        var hadDays = latest.LinkTarget is not null || DateOnly.FromDateTime(folder.LastWriteTime) < keepFrom;
        var entries = folder.GetFileSystemInfos();
        var file = RoomFile.TryRead(folder.FullName);
        if (!hadDays
            || file is null
            || !entries.All(GoesWithDays)
            || file.IsStillNeeded
            || (file.NoticeTs is not null && isMember?.Invoke(folder.Name) == true))
        {
            return;
        }

        foreach (var entry in entries)
        {
            entry.Delete();
        }

        removed?.Invoke(folder.Name);
        try
        {
            folder.Delete();
        }
        catch (IOException)
        {
            // The room was logged again meanwhile: another run removes the folder once it is empty.
            return;
        }

        foreach (var link in folder.Parent!.EnumerateFileSystemInfos().Where(entry => entry.LinkTarget == folder.Name))
        {
            link.Delete();
        }
    }
}
