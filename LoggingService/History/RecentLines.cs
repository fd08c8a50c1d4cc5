using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.History;

/// <summary>An event in a room's record.</summary>
/// <param name="ReceivedTs">In milliseconds since 1970.</param>
/// <param name="IsFetched">It was not pushed: that it is there tells nothing about the events around it.</param>
internal readonly record struct KnownLine(long ReceivedTs, bool IsFetched);

/// <summary>The newest lines of a room's records, as many as fit in a few megabytes.</summary>
internal sealed class RecentLines
{
    /// <summary>Earlier lines are found in the files.</summary>
    public const int MaxLines = 20_000;

    private readonly Dictionary<string, KnownLine> _lines = [];

    private RecentLines()
    {
    }

    /// <summary>When logging last resumed, or a pause may have ended: earlier events that were not logged must not be fetched.</summary>
    public long? ResumedAt { get; private set; }

    public int Count => _lines.Count;

    /// <summary>Reads backwards, until a line that was received before a time.</summary>
    /// <param name="since">In milliseconds since 1970.</param>
    /// <exception cref="IOException">A record can't be read.</exception>
    public static RecentLines Read(string folder, long since)
    {
        var lines = new RecentLines();
        // Earlier days have lines that were received since only if these were fetched. The zone of the days is another one.
        var first = DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(since).UtcDateTime).AddDays(-1);
        var days = DayFileName.In(folder).Where(name => name.IsRecord && name.Day >= first).Select(name => name.Day);
        foreach (var day in days.Distinct().OrderDescending())
        {
            using var file = DayFile.TryOpen(Path.Combine(folder, DayFileName.Record(day).ToString()));
            if (file is not null
                && RecordReader.Newest(file.ReadAt, file.Length, "{"u8.ToArray(), e => lines.Add(e) < since, long.MaxValue) is not null)
            {
                break;
            }
        }

        return lines;
    }

    /// <summary>The line of an event; <c>null</c> if it is not among these.</summary>
    public KnownLine? Find(string eventId) => _lines.TryGetValue(eventId, out var line) ? line : null;

    private long Add(RoomEvent e)
    {
        var time = e.ReceivedTs ?? 0;
        if (_lines.Count < MaxLines)
        {
            _lines.TryAdd(e.EventId, new(time, e.FetchedTs is not null));
        }

        if (e is { IsNote: true, Type: Note.LoggingResumed or Note.WishesChanged } && ResumedAt is null)
        {
            ResumedAt = time;
        }

        return time;
    }
}
