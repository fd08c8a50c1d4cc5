using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Writes into <c>room.json</c>, in the background, what was logged of a room: a slow write delays no log. What fails is retried, and at
/// the latest written when the service stops. Until then the record has it.
/// </summary>
internal sealed partial class RoomFileUpdates : BackgroundService
{
    private readonly RoomFiles _files;
    private readonly ILogger<RoomFileUpdates> _logger;
    private readonly RetryQueue<string> _rooms;

    /// <summary>By room: the changes that are not written yet, in order.</summary>
    private readonly Dictionary<string, List<Func<RoomFile, RoomFile>>> _changes = [];

    /// <summary>The rooms whose failure was logged.</summary>
    private readonly HashSet<string> _failed = [];

    public RoomFileUpdates(RoomFiles files, TimeProvider time, ILogger<RoomFileUpdates> logger)
    {
        _files = files;
        _logger = logger;
        _rooms = new(roomId => roomId, time);

        // What an erased log said must not be written later.
        files.Forgetting = Drop;
    }

    /// <param name="change">Called again after a failed write, with what it has returned; returns its argument if nothing changes.</param>
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

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        var writing = Task.Run(WriteAll, CancellationToken.None);
        await writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _rooms.RunAsync((roomId, _) => Task.FromResult(TryWrite(roomId)), stoppingToken);

    private void WriteAll()
    {
        List<string> rooms;
        lock (_changes)
        {
            rooms = [.. _changes.Keys];
        }

        rooms.ForEach(roomId => TryWrite(roomId));
    }

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

    /// <summary>The changes of a room, unless they were dropped or others have begun.</summary>
    private List<Func<RoomFile, RoomFile>> Due(string roomId, List<Func<RoomFile, RoomFile>> changes)
    {
        lock (_changes)
        {
            return _changes.GetValueOrDefault(roomId) == changes ? [.. changes] : [];
        }
    }

    private bool TryWrite(string roomId)
    {
        List<Func<RoomFile, RoomFile>>? changes;
        lock (_changes)
        {
            if (!_changes.TryGetValue(roomId, out changes))
            {
                return true;
            }
        }

        var written = 0;
        try
        {
            _files.Update(roomId, file =>
            {
                var due = Due(roomId, changes);
                written = due.Count;
                return due.Aggregate(file, (known, change) => change(known));
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Once, not for each attempt.
            if (_failed.Add(roomId))
            {
                Log.NotKept(_logger, roomId, e.Message);
            }

            return false;
        }

        _failed.Remove(roomId);
        lock (_changes)
        {
            changes.RemoveRange(0, written);
            if (changes.Count == 0 && _changes.GetValueOrDefault(roomId) == changes)
            {
                _changes.Remove(roomId);
            }
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomPropertiesNotKept, LogLevel.Warning,
            "Failed to read or write room.json of {RoomId}: {Reason}. Retrying what was logged of its retention and of who may read it.")]
        public static partial void NotKept(ILogger logger, string roomId, string reason);
    }
}
