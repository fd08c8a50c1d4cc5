using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>Erases events from the days of one room, oldest first, or counts what that would change.</summary>
/// <param name="firstDay">Earlier days have nothing to erase.</param>
internal sealed class RoomErasure(RoomFolder folder, LineErasure lines, DateOnly firstDay, ErasureReport report)
{
    private string Name => Path.GetFileName(folder.Path);

    /// <summary>
    /// Counts the lines, also while the room is logged; returns whether there is anything to rewrite. A room without it has no lines.
    /// </summary>
    /// <param name="isResumed">Stubs count: their lines of the text may be the old ones.</param>
    public bool Count(bool isResumed)
    {
        var counted = report.Days.Count;
        var isNeeded = false;
        Visit((_, replaced, concerned) => isNeeded |= replaced.Count > 0 || (isResumed && concerned.Count > 0));
        if (!isNeeded)
        {
            report.Days.RemoveRange(counted, report.Days.Count - counted);
        }

        return isNeeded;
    }

    /// <summary>Erases them. The room's log must be closed. May be interrupted, and run again.</summary>
    /// <exception cref="IOException">A file can't be written.</exception>
    public void Run() => Visit((day, replaced, concerned) => new DayRewrite(folder, day).Run(replaced, concerned));

    private void Visit(Action<DateOnly, Dictionary<int, byte[]>, HashSet<int>> change)
    {
        var files = DayFileName.In(folder.Path).Where(name => name.Day >= firstDay).ToList();
        var days = files.Where(name => name.IsRecord).Select(name => name.Day).Distinct().Order().ToList();
        foreach (var name in files.Where(name => name.IsText && DayFile.Find(folder.Record(name.Day)) is null))
        {
            report.NotRead.Add($"{Name}/{name} has no record");
        }

        var readable = days.FindAll(TryFind);
        foreach (var day in readable)
        {
            var replaced = new Dictionary<int, byte[]>();
            var concerned = new HashSet<int>();
            var erased = 0;
            var index = 0;
            var unread = 0;
            foreach (var line in Lines(day))
            {
                var found = lines.Change(line.Bytes);
                erased += found.IsErased ? 1 : 0;
                if (found.IsConcerned)
                {
                    concerned.Add(index);
                }

                if (found.Bytes is { } bytes)
                {
                    replaced[index] = bytes;
                }

                // The last line may be incomplete as yet.
                unread += found.IsUnread && (line.IsFinished || !line.Bytes.Span.StartsWith("{"u8)) ? 1 : 0;
                index++;
            }

            if (unread > 0)
            {
                report.NotRead.Add($"{Name}/{DayFileName.Record(day)}: damaged lines: {unread}");
            }

            if (concerned.Count == 0 && HasLinesWithoutRecord(day))
            {
                report.NotRead.Add($"{Name}/{DayFileName.Text(day)}: lines without a record, which may quote what is erased");
            }

            if (concerned.Count > 0)
            {
                change(day, replaced, concerned);
                report.Days.Add(new(Name, day, erased, concerned.Count - erased));
            }
        }
    }

    /// <summary>Whether a text has more lines than its record. An event is first in the record.</summary>
    private bool HasLinesWithoutRecord(DateOnly day)
    {
        try
        {
            return DayFile.Find(folder.Text(day)) is not null
                && RecordReader.Lines(folder.Text(day)).Count(line => line.IsFinished) > Lines(day).Count();
        }
        catch (FileNotFoundException)
        {
            // Removed meanwhile.
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Also a damaged one: named, but no reason to leave out the other days.
            return true;
        }
    }

    private bool TryFind(DateOnly day)
    {
        try
        {
            foreach (var line in Lines(day))
            {
                lines.Find(line.Bytes);
            }

            return true;
        }
        catch (DamagedFileException e)
        {
            report.NotRead.Add($"{Name}/{DayFileName.Record(day)}: {e.Message}");
            return false;
        }
    }

    /// <summary>The lines of a day; none where its record was removed meanwhile.</summary>
    private IEnumerable<RecordReader.Line> Lines(DateOnly day) =>
        DayFile.Find(folder.Record(day)) is null ? [] : RecordReader.Lines(folder.Record(day));
}
