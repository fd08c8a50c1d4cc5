using System.Collections.Concurrent;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Which events of a room were not logged as they were pushed (<see cref="NotLogged"/>): those of this process, those that it found in the
/// journal, and, in a room that has any, those that the records of its newest days mark. The records are read once, when an event first
/// relates to another one.
/// </summary>
internal sealed class NotLoggedEvents(LogDirectory logs, RoomFiles files)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<ConcurrentDictionary<string, bool>>>> _rooms = new();

    /// <summary>Whether a room has such events. Cheap: each event of a transaction asks.</summary>
    public bool HasAny(string roomId) =>
        files.Get(roomId).HasNotLogged || (logs.ReplayedNotLogged is { Count: > 0 } replayed && replayed.Any(e => e.RoomId == roomId));

    /// <summary>The ids of a room's events: true for an event without content, false for a reply without quotation.</summary>
    public Task<ConcurrentDictionary<string, bool>> GetAsync(string roomId) =>
        _rooms.GetOrAdd(roomId, id => new(() => Task.Run(() => Read(id)))).Value;

    private ConcurrentDictionary<string, bool> Read(string roomId)
    {
        var ids = new ConcurrentDictionary<string, bool>();
        foreach (var e in logs.ReplayedNotLogged.Where(e => e.RoomId == roomId))
        {
            Add(ids, e);
        }

        if (files.Get(roomId).HasNotLogged)
        {
            Read(Path.Combine(logs.Root, FolderName.ForRoom(roomId)), ids);
        }

        return ids;
    }

    private static void Read(string folder, ConcurrentDictionary<string, bool> ids)
    {
        var days = DayFileName.In(folder).Where(name => name.IsRecord).Select(name => name.Day).Distinct().OrderDescending();
        foreach (var day in days.Take(KnownEvents.Days))
        {
            try
            {
                ReadDay(Path.Combine(folder, DayFileName.Record(day).ToString()), ids);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Damaged, or removed meanwhile: the transaction must not fail for it.
            }
        }
    }

    private static void ReadDay(string record, ConcurrentDictionary<string, bool> ids)
    {
        foreach (var line in RecordReader.Lines(record))
        {
            if (line.Bytes.Span.IndexOf("\"not_logged\":"u8) >= 0 && RoomEvent.FromRecord(line.Bytes) is { } e)
            {
                Add(ids, e);
            }
        }
    }

    private static void Add(ConcurrentDictionary<string, bool> ids, RoomEvent e)
    {
        if (NotLogged.IsStub(e))
        {
            ids[e.EventId] = true;
        }
        else if (NotLogged.IsWithoutQuote(e))
        {
            ids.TryAdd(e.EventId, false);
        }
    }
}
