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
    /// <param name="texts">Only lines that contain one of them, or escaped characters; all lines if there is none.</param>
    /// <exception cref="FileChangedException">The record was replaced: the next snapshot has it.</exception>
    public static IEnumerable<(RoomEvent Event, LogPosition Position)> Read(
        string record, DayFacts facts, int from, long offset, IReadOnlyList<string> texts)
    {
        var needles = texts.Select(Encoding.UTF8.GetBytes).ToList();
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

            var bytes = line.Bytes;
            if (needles.Count > 0 && !bytes.Span.Contains((byte)'\\') && !needles.Exists(needle => bytes.Span.IndexOf(needle) >= 0))
            {
                continue;
            }

            if (index >= from && !withheld.Contains(index) && RoomEvent.FromRecord(bytes) is { } e)
            {
                yield return (e, new(facts.Day, index));
            }
        }
    }
}
