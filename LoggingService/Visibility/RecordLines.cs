using System.Text;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>The lines of a record of which a snapshot knows.</summary>
internal static class RecordLines
{
    /// <summary>Opens the record that was read for the facts.</summary>
    /// <param name="record">The path without <c>.gz</c>.</param>
    /// <exception cref="FileChangedException">It was replaced: the next snapshot has it.</exception>
    public static DayFile Open(string record, DayFacts facts)
    {
        var file = DayFile.TryOpen(record);
        if (file is not null && RecordStamp.Read(record)?.Inode == facts.Stamp.Inode)
        {
            return file;
        }

        file?.Dispose();
        throw new FileChangedException(record);
    }

    /// <summary>The events of all lines but those that no reader sees.</summary>
    /// <param name="from">The first line.</param>
    /// <param name="offset">That of the first line, or 0.</param>
    /// <param name="text">Only lines that contain it, or escaped characters.</param>
    /// <exception cref="FileChangedException">The record was replaced: the next snapshot has it.</exception>
    public static IEnumerable<(RoomEvent Event, LogPosition Position)> Read(
        string record, DayFacts facts, int from = 0, long offset = 0, string text = "")
    {
        var needle = Encoding.UTF8.GetBytes(text);
        using var file = Open(record, facts);
        var index = offset == 0 ? -1 : from - 1;
        var withheld = facts.Withheld.ToHashSet();
        foreach (var line in RecordReader.Lines(file.ReadAt, offset, long.MaxValue))
        {
            index++;
            if (index == facts.Lines)
            {
                yield break;
            }

            if (needle.Length > 0 && line.Bytes.Span.IndexOf(needle) < 0 && !line.Bytes.Span.Contains((byte)'\\'))
            {
                continue;
            }

            if (index >= from && !withheld.Contains(index) && RoomEvent.FromRecord(line.Bytes) is { } e)
            {
                yield return (e, new(facts.Day, index));
            }
        }
    }
}
