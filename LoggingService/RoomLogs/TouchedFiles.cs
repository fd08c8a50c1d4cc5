using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Detects files that others deleted, moved, cut or replaced while in use: a clean-up, logrotate, an editor.</summary>
internal sealed partial class TouchedFiles(OpenRooms rooms, Journal journal, Checkpoint checkpoint, ILogger logger)
{
    private bool _mustBeEmptied;

    /// <summary>
    /// Closes changed logs; reopening repairs them. The journal must be emptied first: its offsets no longer match, and a replay
    /// would overwrite the files. That includes closed files that the journal names.
    /// </summary>
    /// <exception cref="IOException">The checkpoint failed or another one is running; the batch must be retried.</exception>
    public void PutRight(IReadOnlySet<string> roomIds, bool hasUnloggable, DateOnly day)
    {
        if (journal.IsTouched())
        {
            Log.JournalTouched(logger);
            journal.Abandon();
        }

        foreach (var roomId in roomIds)
        {
            CloseIfTouched(roomId, day);
        }

        _mustBeEmptied |= hasUnloggable && !journal.IsAsWritten(Quarantine.NameOf(day));
        if (_mustBeEmptied || journal.IsSuspect
            || roomIds.Any(id => rooms.Find(id) is null && checkpoint.Distrusts(FolderName.ForRoom(id))))
        {
            checkpoint.RunInsideGate();
            _mustBeEmptied = false;
        }
    }

    private void CloseIfTouched(string roomId, DateOnly day)
    {
        var room = rooms.Find(roomId);
        var isOpenTouched = room?.IsUntouched() == false;
        if (isOpenTouched || (room?.Day != day && !RoomLog.NamesOf(roomId, day).TrueForAll(journal.IsAsWritten)))
        {
            _mustBeEmptied = true;
            Log.Touched(logger, roomId);
        }

        if (isOpenTouched)
        {
            Close(room!);
        }
    }

    /// <summary>Syncs and closes the files: wherever they are now, they contain acknowledged data.</summary>
    private void Close(RoomLog touched)
    {
        try
        {
            touched.Sync();
        }
        catch (IOException)
        {
            touched.Names.ForEach(checkpoint.Distrust);
            throw;
        }
        finally
        {
            rooms.Close(touched);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomFilesChanged, LogLevel.Warning, "Files of {RoomId} changed on disk; reopening")]
        public static partial void Touched(ILogger logger, string roomId);

        [LoggerMessage(EventIds.JournalChanged, LogLevel.Warning, "The journal changed on disk; starting a new segment after a checkpoint")]
        public static partial void JournalTouched(ILogger logger);
    }
}
