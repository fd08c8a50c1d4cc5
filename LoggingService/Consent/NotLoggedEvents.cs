using System.Collections.Concurrent;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Which events of a room were not logged as they were pushed: those of this process, and those that the records of the room's newest days
/// mark (<see cref="NotLogged"/>). A room's records are read once, when an event first relates to another one.
/// </summary>
internal sealed class NotLoggedEvents(LogDirectory logs, TimeProvider time)
{
    /// <summary>The homeserver waits 60 s for the response to a transaction.</summary>
    private static readonly TimeSpan ReplayTimeout = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Lazy<Task<ConcurrentDictionary<string, bool>>>> _rooms = new();
    private readonly Lock _lock = new();
    private Task? _replayed;

    /// <summary>The ids of a room's events: true for an event without content, false for a reply without quotation.</summary>
    /// <exception cref="IOException">The events that an earlier process has left in the journal are not in the records yet.</exception>
    public async ValueTask<ConcurrentDictionary<string, bool>> GetAsync(string roomId)
    {
        var room = _rooms.GetOrAdd(roomId, id => new(() => ReadAsync(id)));
        try
        {
            return await room.Value;
        }
        catch
        {
            _rooms.TryRemove(new(roomId, room));
            throw;
        }
    }

    private async Task<ConcurrentDictionary<string, bool>> ReadAsync(string roomId)
    {
        Task replayed;
        lock (_lock)
        {
            _replayed = _replayed is null or { IsFaulted: true } ? logs.CaughtUpAsync() : _replayed;
            replayed = _replayed;
        }

        try
        {
            await replayed.WaitAsync(ReplayTimeout, time);
        }
        catch (TimeoutException e)
        {
            throw new IOException("The journal's replay is not complete", e);
        }

        return await Task.Run(() => Read(Path.Combine(logs.Root, FolderName.ForRoom(roomId))));
    }

    private static ConcurrentDictionary<string, bool> Read(string folder)
    {
        var ids = new ConcurrentDictionary<string, bool>();
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

        return ids;
    }

    private static void ReadDay(string record, ConcurrentDictionary<string, bool> ids)
    {
        foreach (var line in RecordReader.Lines(record))
        {
            if (line.Bytes.Span.IndexOf("\"not_logged\":"u8) < 0 || RoomEvent.FromRecord(line.Bytes) is not { } e)
            {
                continue;
            }

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
}
