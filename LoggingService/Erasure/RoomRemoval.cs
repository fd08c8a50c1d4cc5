using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// Removes days of a room, oldest first, with all files whose names begin with their date. The ids stay: what is sent again is known. The
/// room's log must be closed.
/// </summary>
/// <param name="before">Only days before this one; <c>null</c> for all.</param>
internal sealed class RoomRemoval(string folder, DateOnly? before, ErasureReport report)
{
    public void Count() => Visit(static _ => { });

    /// <param name="files">Forgets what it said in its <c>room.json</c>, unless that decides about events to come.</param>
    /// <exception cref="IOException">A file can't be removed; those before it are gone.</exception>
    public void Run(RoomFiles files)
    {
        Visit(day =>
        {
            KnownEvents.EnsureSaved(folder, day);
            foreach (var name in Files(day))
            {
                File.Delete(Path.Combine(folder, name.ToString()));
            }
        });
        var latest = Path.Combine(folder, RoomFolder.Latest);
        if (new FileInfo(latest).LinkTarget is { } text && !File.Exists(Path.Combine(folder, text)))
        {
            File.Delete(latest);
        }

        var name = Path.GetFileName(folder);
        if (before is null && !files.GetByFolder(name).IsStillNeeded)
        {
            files.KeepNoticeOnly(name);
        }

        Posix.Sync(folder);
    }

    private void Visit(Action<DateOnly> remove)
    {
        var days = DayFileName.In(folder).Select(name => name.Day).Distinct();
        foreach (var day in days.Where(day => before is null || day < before).Order().ToList())
        {
            if (Files(day).Count > 0)
            {
                var path = Path.Combine(folder, DayFileName.Record(day).ToString());
                var lines = CountLines(path);
                remove(day);
                report.Days.Add(new(Path.GetFileName(folder), day, lines, 0));
            }
        }
    }

    /// <summary>The lines of a record; 0 if it can't be read, which does not keep it from being removed.</summary>
    private static int CountLines(string record)
    {
        try
        {
            return DayFile.Find(record) is null ? 0 : RecordReader.Lines(record).Count();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private List<DayFileName> Files(DateOnly day) => [.. DayFileName.In(folder).Where(name => name.Day == day && !name.IsIds)];
}
