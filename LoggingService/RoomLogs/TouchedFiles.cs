using LoggingService.Files;
using LoggingService.Logging;

namespace LoggingService.RoomLogs;

/// <summary>
/// Files that somebody else deleted, moved, cut or replaced while they are in use: a clean-up, logrotate, an editor. Noticed
/// before each batch, and put right before it is written. Not safe for concurrent use: the log directory's gate is around it.
/// </summary>
/// <param name="rooms">The rooms' logs that are in memory.</param>
/// <param name="journal">The journal, which knows each file as the last batch left it.</param>
/// <param name="checkpoint">What empties the journal.</param>
/// <param name="logger">The service's own log.</param>
internal sealed partial class TouchedFiles(OpenRooms rooms, Journal journal, Checkpoint checkpoint, ILogger logger)
{
    private bool _mustBeEmptied;

    /// <summary>
    /// Closes the logs that somebody touched, to be opened anew and mended. The journal must be emptied then: what it has of
    /// those files is no longer theirs, and recovery would put it over what they are now. That goes for files that are not
    /// open, too, as long as the journal has them.
    /// </summary>
    /// <param name="roomIds">The rooms of the batch.</param>
    /// <param name="hasUnloggable">Whether something of it goes to the quarantine.</param>
    /// <param name="day">The day of arrival.</param>
    /// <exception cref="IOException">The journal could not be emptied, or is being emptied: the batch is to come again.</exception>
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
        if (_mustBeEmptied || journal.IsSuspect || roomIds.Any(IsToBeMadeAnew))
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

    /// <summary>Wherever the files are now, what was acknowledged is in them.</summary>
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

    /// <summary>Whether a log is to be opened of which a file shows what need not be what was written to it.</summary>
    private bool IsToBeMadeAnew(string roomId) => rooms.Find(roomId) is null && checkpoint.Distrusts(FolderName.ForRoom(roomId));

    private static partial class Log
    {
        [LoggerMessage(EventId = EventIds.RoomFilesChanged, Level = LogLevel.Warning,
            Message = "Files of {RoomId} changed on disk; reopening")]
        public static partial void Touched(ILogger logger, string roomId);

        [LoggerMessage(EventId = EventIds.JournalChanged, Level = LogLevel.Warning,
            Message = "The journal changed on disk; starting a new segment after a checkpoint")]
        public static partial void JournalTouched(ILogger logger);
    }
}
