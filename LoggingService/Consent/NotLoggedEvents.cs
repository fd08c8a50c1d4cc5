using System.Collections.Concurrent;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Which events of a room were not logged as they were pushed (<see cref="NotLogged"/>): those of this process, those that it found in the
/// journal, and those that the records of the room's newest days mark. The records are read once, when an event first relates to another
/// one, and only where a prefix applies or <c>room.json</c> says that there are such events.
/// </summary>
internal sealed class NotLoggedEvents(LogDirectory logs, RoomFiles files)
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _ids = new();
    private readonly ConcurrentDictionary<string, Lazy<Task>> _reading = new();

    /// <summary>Whether a room has such events. Cheap: each event of a transaction asks.</summary>
    public bool HasAny(string roomId) =>
        MayHaveAny(roomId) || logs.ReplayedNotLogged.ContainsKey(roomId) || (_ids.TryGetValue(roomId, out var ids) && !ids.IsEmpty);

    /// <summary>The ids of a room's events: true for an event without content, false for a reply without quotation.</summary>
    /// <param name="hasPrefix">A prefix applies in the room: <c>room.json</c> may not have been written.</param>
    public async ValueTask<ConcurrentDictionary<string, bool>> GetAsync(string roomId, bool hasPrefix)
    {
        var ids = _ids.GetOrAdd(roomId, id => new(logs.ReplayedNotLogged.GetValueOrDefault(id) ?? []));
        if (hasPrefix || MayHaveAny(roomId))
        {
            var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
            var reading = _reading.GetOrAdd(roomId, _ => new(() => Task.Run(() => Read(folder, ids))));
            try
            {
                await reading.Value;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Read again for the next event: one room must not fail the transactions of all.
                _reading.TryRemove(new(roomId, reading));
            }
        }

        return ids;
    }

    /// <summary>As <c>room.json</c> says; also while it can't be read.</summary>
    private bool MayHaveAny(string roomId) => files.Find(roomId) is not { HasNotLogged: false };

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
                // Damaged, or removed meanwhile.
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
