using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// Removes days of a room, oldest first, with all files whose names begin with their date. The ids stay: what is sent again is known. The
/// room's log must be closed.
/// </summary>
/// <param name="before">Only days before this one; <c>null</c> for all.</param>
/// <param name="until">Only what was received until this time, in milliseconds since 1970; <c>null</c> for all.</param>
internal sealed class RoomRemoval(RoomFolder room, DateOnly? before, long? until, ErasureReport report)
{
    public void Count() => Visit(static _ => { }, static _ => { });

    /// <param name="files">Forgets what it said in its <c>room.json</c> (<see cref="RoomFiles.ForgetErased"/>).</param>
    /// <exception cref="IOException">A file can't be removed, or not be read to tell what stays; those before it are gone.</exception>
    public void Run(RoomFiles files)
    {
        var isAnyKept = false;
        if (before is { } limit)
        {
            var days = DayFileName.In(room.Path).Where(name => name.IsRecord && name.Day < limit).Select(name => name.Day).Distinct();
            KeptVisibility.Keep(files, room.Root, Path.GetFileName(room.Path), days.ToList(), room.Zone);
        }

        Visit(
            day =>
            {
                KnownEvents.EnsureSaved(room.Path, day);
                foreach (var name in Files(day))
                {
                    File.Delete(Path.Combine(room.Path, name.ToString()));
                }
            },
            day =>
            {
                isAnyKept = true;
                foreach (var name in Files(day).Where(name => !name.IsRecord && !name.IsText))
                {
                    File.Delete(Path.Combine(room.Path, name.ToString()));
                }

                new DayRewrite(room, day).Remove(line => !IsLater(line));
            });
        var latest = Path.Combine(room.Path, RoomFolder.Latest);
        if (new FileInfo(latest).LinkTarget is { } text && !File.Exists(Path.Combine(room.Path, text)))
        {
            File.Delete(latest);
        }

        if (before is null)
        {
            files.ForgetErased(Path.GetFileName(room.Path), isAnyKept);
        }

        Posix.Sync(room.Path);
    }

    /// <param name="remove">Removes a day.</param>
    /// <param name="removeLines">Removes the lines of a day that has later ones.</param>
    private void Visit(Action<DateOnly> remove, Action<DateOnly> removeLines)
    {
        var days = DayFileName.In(room.Path).Select(name => name.Day).Distinct();
        foreach (var day in days.Where(day => before is null || day < before).Order().ToList())
        {
            if (Files(day).Count > 0)
            {
                var (removed, kept) = CountLines(Path.Combine(room.Path, DayFileName.Record(day).ToString()));
                (kept > 0 ? removeLines : remove)(day);
                if (kept == 0 || removed > 0)
                {
                    report.Days.Add(new(Path.GetFileName(room.Path), day, removed, 0));
                }
            }
        }
    }

    /// <summary>The lines of a record; 0 if it can't be read, which does not keep it from being removed as a whole.</summary>
    /// <exception cref="IOException">It can't be read, and may have later lines, which stay.</exception>
    private (int Removed, int Kept) CountLines(string record)
    {
        try
        {
            if (DayFile.Find(record) is null)
            {
                return (0, 0);
            }

            var (lines, kept) = (0, 0);
            foreach (var line in RecordReader.Lines(record))
            {
                lines++;
                kept += IsLater(line.Bytes) ? 1 : 0;
            }

            return (lines - kept, kept);
        }
        catch (Exception e) when (until is null && (e is IOException or UnauthorizedAccessException))
        {
            return (0, 0);
        }
    }

    private bool IsLater(ReadOnlyMemory<byte> line) => until is { } time && RoomEvent.FromRecord(line)?.ReceivedTs > time;

    private List<DayFileName> Files(DateOnly day) => [.. DayFileName.In(room.Path).Where(name => name.Day == day && !name.IsIds)];
}
