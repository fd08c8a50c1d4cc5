using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>Erases events from the days of one room, oldest first, or counts what that would change.</summary>
/// <param name="firstDay">Earlier days have nothing to erase.</param>
internal sealed class RoomErasure(RoomFolder folder, LineErasure lines, DateOnly firstDay, ErasureReport report)
{
    private string Name => Path.GetFileName(folder.Path);

    /// <summary>Counts the lines.</summary>
    public void Count() => Visit(static (_, _, _) => { });

    /// <summary>Erases them. The room's log must be closed. May be interrupted, and run again.</summary>
    /// <exception cref="IOException">A file can't be written.</exception>
    public void Run() => Visit((day, replaced, concerned) => new DayRewrite(folder, day).Run(replaced, concerned));

    private void Visit(Action<DateOnly, Dictionary<int, byte[]>, HashSet<int>> change)
    {
        var days = DayFileName.In(folder.Path)
            .Where(name => name.IsRecord && name.Day >= firstDay)
            .Select(name => name.Day)
            .Distinct()
            .Order()
            .ToList();
        var readable = days.FindAll(TryFind);
        foreach (var day in readable)
        {
            var replaced = new Dictionary<int, byte[]>();
            var concerned = new HashSet<int>();
            var erased = 0;
            var index = 0;
            foreach (var line in RecordReader.Lines(folder.Record(day)))
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

                index++;
            }

            if (concerned.Count > 0)
            {
                change(day, replaced, concerned);
                report.Days.Add(new(Name, day, erased, concerned.Count - erased));
            }
        }
    }

    private bool TryFind(DateOnly day)
    {
        try
        {
            foreach (var line in RecordReader.Lines(folder.Record(day)))
            {
                lines.Find(line.Bytes);
            }

            return true;
        }
        catch (Exception e) when (e is DamagedFileException or FileNotFoundException)
        {
            report.NotReached.Add($"{Name}/{DayFileName.Record(day)}: {e.Message}");
            return false;
        }
    }
}
