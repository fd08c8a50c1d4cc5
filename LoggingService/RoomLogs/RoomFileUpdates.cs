using System.Collections.Concurrent;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Writes into <c>room.json</c>, in the background, what was logged of a room: a slow write delays no log. What fails is retried, and at
/// the latest written when the service stops. Until then the record has it.
/// </summary>
internal sealed partial class RoomFileUpdates : BackgroundService
{
    /// <summary>So many rooms whose disk does not answer keep others waiting, and no fewer.</summary>
    private const int Concurrency = 8;

    private readonly RoomFiles _files;
    private readonly ILogger<RoomFileUpdates> _logger;
    private readonly RetryQueue<string> _rooms;

    /// <summary>By room: the changes that are not in effect yet, in order; none if only a write failed.</summary>
    private readonly Dictionary<string, List<Func<RoomFile, RoomFile>>> _changes = [];

    /// <summary>The rooms whose failure was logged.</summary>
    private readonly ConcurrentDictionary<string, bool> _failed = new();

    public RoomFileUpdates(RoomFiles files, TimeProvider time, ILogger<RoomFileUpdates> logger)
    {
        _files = files;
        _logger = logger;
        _rooms = new(roomId => roomId, time, Concurrency);

        // What an erased log said must not be written later.
        files.Forgetting = Drop;
    }

    /// <param name="change">Returns its argument if nothing changes.</param>
    public void Add(string roomId, Func<RoomFile, RoomFile> change)
    {
        lock (_changes)
        {
            if (!_changes.TryGetValue(roomId, out var changes))
            {
                _changes.Add(roomId, changes = []);
            }

            changes.Add(change);
        }

        _rooms.Add(roomId);
    }

    /// <summary>Writes at once what is not written yet.</summary>
    public void WriteAll()
    {
        List<string> rooms;
        lock (_changes)
        {
            rooms = [.. _changes.Keys];
        }

        Parallel.ForEach(rooms, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, roomId => TryWrite(roomId));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // At once: a write that does not end must not keep those that failed from being repeated.
        var stopping = base.StopAsync(cancellationToken);
        var writing = Task.Run(WriteAll, CancellationToken.None);
        await Task.WhenAll(stopping, writing).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // On threads of their own: on a disk that does not answer, they would block those of the thread pool.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _rooms.RunAsync(
        (roomId, _) => Task.Factory.StartNew(
            () => TryWrite(roomId), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
        stoppingToken);

    private void Drop(string folder)
    {
        lock (_changes)
        {
            foreach (var roomId in _changes.Keys.Where(roomId => FolderName.ForRoom(roomId) == folder).ToList())
            {
                _changes.Remove(roomId);
            }
        }
    }

    /// <summary>False if they were dropped, or another attempt has written them.</summary>
    private bool IsDue(string roomId)
    {
        lock (_changes)
        {
            return _changes.ContainsKey(roomId);
        }
    }

    private List<Func<RoomFile, RoomFile>> Take(string roomId)
    {
        lock (_changes)
        {
            if (!_changes.TryGetValue(roomId, out var changes))
            {
                return [];
            }

            _changes[roomId] = [];
            return changes;
        }
    }

    private bool TryWrite(string roomId)
    {
        try
        {
            _files.Update(roomId, file => Take(roomId).Aggregate(file, (known, change) => change(known)), () => IsDue(roomId));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Once, not for each attempt.
            if (_failed.TryAdd(roomId, true))
            {
                Log.NotKept(_logger, roomId, e.Message);
            }

            return false;
        }

        _failed.TryRemove(roomId, out _);
        lock (_changes)
        {
            if (_changes.TryGetValue(roomId, out var added) && added.Count == 0)
            {
                _changes.Remove(roomId);
            }
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomPropertiesNotKept, LogLevel.Warning,
            "Failed to read or write room.json of {RoomId}: {Reason}. Retrying what was logged of its retention, readers and moderators.")]
        public static partial void NotKept(ILogger logger, string roomId, string reason);
    }
}
