using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>The place of an event, as an index has it.</summary>
/// <param name="Inode">Of the record's file at that time.</param>
/// <param name="Offset">Of the first byte of the line.</param>
/// <param name="Line">From 0; <c>null</c> if it has to be counted.</param>
internal readonly record struct EventPlace(DateOnly Day, ulong Inode, long Offset, int? Line);

/// <summary>An event that a reader may see, with those around it, whose content is shown.</summary>
/// <param name="Before">In the order of the record.</param>
internal sealed record EventsAround(VisibleEvent Event, IReadOnlyList<VisibleEvent> Before, IReadOnlyList<VisibleEvent> After)
{
    /// <summary>How far neighbours are searched.</summary>
    private const int MaxBytes = 256 * 1024;

    /// <summary>
    /// Reads an event at its place; <c>null</c> if the reader may not see its content, or the record was replaced or removed since: the
    /// index follows.
    /// </summary>
    /// <param name="neighbours">How many on each side are read.</param>
    /// <param name="isNeighbour">Which events count.</param>
    public static EventsAround? Read(
        RoomVisibility room, Reader reader, EventPlace place, int neighbours, Predicate<RoomEvent> isNeighbour)
    {
        try
        {
            var record = room.RecordOf(place.Day);
            using var file = DayFile.TryOpen(record);
            if (file is null || RecordStamp.Read(record)?.Inode != place.Inode || room.FactsOf(place.Day)?.Stamp.Inode != place.Inode)
            {
                return null;
            }

            var lines = new Lines(room, reader, file, place, isNeighbour);
            return lines.Event is { } e ? new(e, lines.ReadBefore(neighbours), lines.ReadAfter(neighbours)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class Lines(RoomVisibility room, Reader reader, DayFile file, EventPlace place, Predicate<RoomEvent> isNeighbour)
    {
        private readonly int _line = place.Line ?? RecordReader.Lines(file.ReadAt, 0, place.Offset).Count();

        public VisibleEvent? Event => Show(RecordReader.LineAt(file.ReadAt, place.Offset), _line);

        public List<VisibleEvent> ReadBefore(int count)
        {
            var found = new List<VisibleEvent>();
            var from = Math.Max(0, place.Offset - MaxBytes);
            var bytes = count == 0 ? default : RecordReader.ReadAll(file.ReadAt, from, new byte[place.Offset - from]);
            for (var number = _line - 1; found.Count < count && bytes.Length > 1; number--)
            {
                var start = bytes.Span[..^1].LastIndexOf((byte)'\n') + 1;
                if (start == 0 && from > 0)
                {
                    break;
                }

                Add(found, bytes[start..^1], number);
                bytes = bytes[..start];
            }

            found.Reverse();
            return found;
        }

        public List<VisibleEvent> ReadAfter(int count)
        {
            var found = new List<VisibleEvent>();
            var number = _line;
            foreach (var line in RecordReader.Lines(file.ReadAt, place.Offset, place.Offset + MaxBytes))
            {
                if (found.Count == count || !line.IsFinished)
                {
                    break;
                }

                if (number > _line)
                {
                    Add(found, line.Bytes, number);
                }

                number++;
            }

            return found;
        }

        private void Add(List<VisibleEvent> found, ReadOnlyMemory<byte> line, int number)
        {
            if (Show(line, number) is { } e && isNeighbour(e.Event))
            {
                found.Add(e);
            }
        }

        private VisibleEvent? Show(ReadOnlyMemory<byte> line, int number) =>
            RoomEvent.FromRecord(line) is { } e && room.Show(reader, e, new(place.Day, number)) is { Stub: null } shown ? shown : null;
    }
}
