using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Search;

/// <summary>An event with the lines around it, as they are in the record.</summary>
/// <param name="Before">In their order.</param>
internal sealed record HitLines(
    RoomEvent Event, IReadOnlyList<(LinePlace Place, RoomEvent Event)> Before, IReadOnlyList<(LinePlace Place, RoomEvent Event)> After);

/// <summary>Reads what was found, and its neighbours, from the records.</summary>
internal static class HitReader
{
    /// <summary>How far neighbours are searched.</summary>
    private const int MaxBytes = 256 * 1024;

    /// <summary>Reads an event that was found; <c>null</c> if the record has changed since, or is gone: the index follows.</summary>
    /// <param name="root">The log directory.</param>
    /// <param name="neighbours">How many lines on each side are read.</param>
    /// <param name="isNeighbour">Which lines count.</param>
    public static HitLines? Read(string root, SearchHit hit, int neighbours, Func<LinePlace, RoomEvent, bool> isNeighbour)
    {
        try
        {
            using var file = DayFile.TryOpen(Path.Combine(root, hit.Folder, DayFileName.Record(hit.Day).ToString()));
            if (file is null || RecordReader.EventAt(file.ReadAt, hit.Place.Offset) is not { } e || e.Sender != hit.Sender)
            {
                return null;
            }

            return new(e, ReadBefore(file, hit.Place, neighbours, isNeighbour), ReadAfter(file, hit.Place, neighbours, isNeighbour));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static List<(LinePlace Place, RoomEvent Event)> ReadBefore(
        DayFile file, LinePlace hit, int count, Func<LinePlace, RoomEvent, bool> isNeighbour)
    {
        var found = new List<(LinePlace Place, RoomEvent Event)>();
        var from = Math.Max(0, hit.Offset - MaxBytes);
        var bytes = count == 0 ? default : RecordReader.ReadAll(file.ReadAt, from, new byte[hit.Offset - from]);
        var number = hit.Line;
        while (found.Count < count && bytes.Length > 1)
        {
            var start = bytes.Span[..^1].LastIndexOf((byte)'\n') + 1;
            if (start == 0 && from > 0)
            {
                break;
            }

            number--;
            var place = new LinePlace(from + start, number);
            if (RoomEvent.FromRecord(bytes[start..^1]) is { } e && isNeighbour(place, e))
            {
                found.Add((place, e));
            }

            bytes = bytes[..start];
        }

        found.Reverse();
        return found;
    }

    private static List<(LinePlace Place, RoomEvent Event)> ReadAfter(
        DayFile file, LinePlace hit, int count, Func<LinePlace, RoomEvent, bool> isNeighbour)
    {
        var found = new List<(LinePlace Place, RoomEvent Event)>();
        var number = hit.Line;
        foreach (var line in RecordReader.Lines(file.ReadAt, hit.Offset, hit.Offset + MaxBytes))
        {
            if (found.Count == count || !line.IsFinished)
            {
                break;
            }

            var place = new LinePlace(line.Offset, number);
            if (number > hit.Line && RoomEvent.FromRecord(line.Bytes) is { } e && isNeighbour(place, e))
            {
                found.Add((place, e.Copy()));
            }

            number++;
        }

        return found;
    }
}
