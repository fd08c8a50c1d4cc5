using LoggingService.Files;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>
/// The lock of the log directory. Where the directory or its journal was moved or removed, it creates them again: what is still needed
/// of the journal is read through its open files.
/// </summary>
internal sealed partial class LogDirectoryGuard(
    string root, WriteAheadJournal journal, Parking parking, RoomLogWriter writer, RoomLogCache cache, ILogger logger) : IDisposable
{
    private readonly string _lockPath = Path.Combine(root, LogDirectoryLock.Name);
    private FileStream _lock = LogDirectoryLock.Acquire(root);
    private Posix.FileIdentity? _directory = Posix.Stat(root);
    private bool _isMovedLogged;

    /// <summary>Raised when the directory was created again.</summary>
    public event Action? Restored;

    private bool IsDirectoryGone => Posix.Stat(root) is not { } directory || _directory?.IsSameFileAs(directory) != true;

    private bool IsLockGone => Posix.Stat(_lockPath)?.IsSameFileAs(Posix.Stat(_lock.SafeFileHandle, _lockPath)) != true;

    /// <exception cref="JournalMovedException">The path leads to another directory, or to none.</exception>
    public void Verify()
    {
        if (IsDirectoryGone || IsLockGone)
        {
            throw new JournalMovedException($"{root} was moved or removed");
        }
    }

    /// <summary>Creates what was moved or removed. To be called once a second, also while a checkpoint runs.</summary>
    /// <exception cref="FatalException">Another service has locked the new directory.</exception>
    /// <exception cref="IOException">The new directory can't be written; to be repeated.</exception>
    public async Task RestoreIfMovedAsync()
    {
        try
        {
            journal.Verify();
            return;
        }
        catch (JournalMovedException e)
        {
            // Once, not for each attempt.
            if (!_isMovedLogged)
            {
                Log.Moved(logger, e.Message);
                _isMovedLogged = true;
            }
        }

        var isDirectoryGone = IsDirectoryGone;
        if (isDirectoryGone || IsLockGone)
        {
            var moved = _lock;
            _lock = LogDirectoryLock.Reacquire(root);
            moved.Dispose();
            _directory = Posix.Stat(root);
            FormatFile.Check(root);
        }

        // At once: while the directory is gone, the writer waits for it, and so does a checkpoint.
        await writer.InTurnAtOnceAsync(() => Restart(isDirectoryGone));
        Restored?.Invoke();
        _isMovedLogged = false;
        Log.Restored(logger, root);
    }

    public void Dispose() => _lock.Dispose();

    private void Restart(bool isDirectoryGone)
    {
        // Needed is what is not written; where only the journal is gone, what is not synced.
        var needed = cache.Rooms
            .Where(room => room.From is not null && (!isDirectoryGone
                || room.BusySince is not null
                || room.RepairAt is not null
                || room.HeldFrom is not null))
            .ToDictionary(room => room.RoomId, room => (isDirectoryGone ? room.ChangedFrom : null) ?? room.From!.Value);
        var written = writer.WrittenThrough;
        journal.Restart(parking.ReadAll(), (sequence, entry) =>
            sequence > written || (needed.TryGetValue(RoomEntry.RoomIdOf(entry), out var from) && sequence >= from));
        parking.Forget();
        foreach (var room in cache.Rooms.ToList())
        {
            room.ParkedThrough = 0;
            if (isDirectoryGone)
            {
                cache.Detach(room)?.Dispose();
                room.SyncingFrom = null;
                room.UnsyncedFrom = needed.TryGetValue(room.RoomId, out var from) ? from : null;
                cache.RemoveIfIdle(room);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LogDirectoryMoved, LogLevel.Error,
            "{Reason} while it was in use. Responding 500 until it is created again; the homeserver will retry.")]
        public static partial void Moved(ILogger logger, string reason);

        [LoggerMessage(EventIds.LogDirectoryRestored, LogLevel.Warning, "Created {Path} again. Later events are logged there.")]
        public static partial void Restored(ILogger logger, string path);
    }
}
