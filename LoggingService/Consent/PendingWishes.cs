using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// The wishes that were logged and are not applied. <c>room.json</c> has the first day with such wishes: they are read from the record at
/// the next start, also if a command replayed the journal, without the service.
/// </summary>
internal sealed class PendingWishes
{
    /// <summary>Rooms that wait for their disk, or for the homeserver, delay no others until they are so many.</summary>
    private const int Concurrency = 4;

    private readonly LogDirectory _logs;
    private readonly RoomFiles _files;
    private readonly RoomFileUpdates _updates;
    private readonly RetryQueue<RoomEvent> _queue;

    /// <summary>By room, the newest ones.</summary>
    private readonly Dictionary<string, RoomEvent> _newest = [];

    public PendingWishes(LogDirectory logs, RoomFiles files, RoomFileUpdates updates, TimeProvider time)
    {
        (_logs, _files, _updates) = (logs, files, updates);
        _queue = new(e => e.RoomId, time, Concurrency);

        // The replay of the journal begins before the background services do.
        logs.Written += OnWritten;
    }

    /// <summary>Applies the wishes, those of a room in their order, until it is cancelled.</summary>
    /// <param name="tryApply">Returns false if it must be retried.</param>
    public Task RunAsync(Func<RoomEvent, CancellationToken, Task<bool>> tryApply, CancellationToken cancellation)
    {
        AddEarlier();
        return _queue.RunAsync(
            async (e, token) =>
            {
                var isDone = await tryApply(e, token);
                if (isDone)
                {
                    End(e);
                }

                return isDone;
            },
            cancellation);
    }

    private static bool IsWish(RoomEvent e) =>
        e is { IsNote: false, StateKeyText.Length: 0, Type: RoomWish.EventType } && !ErasedEvent.IsStub(e);

    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        foreach (var line in lines)
        {
            if (IsWish(line.Event))
            {
                Add(line.Event.Copy(), line.Day);
            }
        }
    }

    private void Add(RoomEvent e, DateOnly day)
    {
        lock (_newest)
        {
            _newest[e.RoomId] = e;
            _updates.Add(e.RoomId, file => file.PendingWishesFrom <= day ? file : file with { PendingWishesFrom = day });
            _queue.Add(e);
        }
    }

    private void End(RoomEvent e)
    {
        lock (_newest)
        {
            if (_newest.Remove(e.RoomId, out var newest) && newest != e)
            {
                _newest.Add(e.RoomId, newest);
            }
            else
            {
                _updates.Add(e.RoomId, file => file.PendingWishesFrom is null ? file : file with { PendingWishesFrom = null });
            }
        }
    }

    /// <summary>Adds what waits since an earlier process.</summary>
    private void AddEarlier()
    {
        foreach (var folder in new DirectoryInfo(_logs.Root).EnumerateDirectories("!*").Where(folder => folder.LinkTarget is null).ToList())
        {
            if (_files.FindByFolder(folder.Name)?.PendingWishesFrom is { } first)
            {
                Add(Find(folder.FullName, first));
            }
        }
    }

    private void Add(List<RoomEvent> earlier)
    {
        lock (_newest)
        {
            earlier.ForEach(_queue.Add);
            if (earlier.Count > 0 && !_newest.TryAdd(earlier[^1].RoomId, earlier[^1]))
            {
                // It was logged meanwhile, and counts.
                _queue.Add(_newest[earlier[^1].RoomId]);
            }
        }
    }

    /// <summary>The wishes in the records from a day on, in their order; none of those that can't be read.</summary>
    private static List<RoomEvent> Find(string folder, DateOnly first)
    {
        var found = new List<RoomEvent>();
        try
        {
            var days = DayFileName.In(folder).Where(name => name.IsRecord && name.Day >= first).Select(name => name.Day);
            foreach (var day in days.Distinct().Order().ToList())
            {
                var lines = RecordReader.Lines(Path.Combine(folder, DayFileName.Record(day).ToString()))
                    .Where(line => line.Bytes.Span.IndexOf("com.loggingservice.room"u8) >= 0);
                found.AddRange(lines.Select(line => RoomEvent.FromRecord(line.Bytes)).OfType<RoomEvent>().Where(IsWish)
                    .Select(e => e.Copy()));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They are read at the next start.
        }

        return found;
    }
}
