using LoggingService.Events;

namespace LoggingService.RoomLogs;

/// <summary>
/// What is written together: the transactions that waited at the same time, on one day, in all their rooms or in none.
/// Undone when it is disposed of, unless it was committed.
/// </summary>
internal sealed class Batch(OpenRooms open, Journal journal, DateTimeOffset receivedAt) : IDisposable
{
    private readonly Dictionary<string, RoomLog> _rooms = [];
    private readonly DateOnly _day = DateOnly.FromDateTime(receivedAt.DateTime);
    private DayFile? _quarantine;
    private bool _isCommitted;

    /// <summary>Appends an event to its room's log, in memory.</summary>
    /// <returns>The line that people will read, or <c>null</c> if the room's record has the event already.</returns>
    /// <exception cref="IOException">The room's files can't be opened.</exception>
    public (DateTimeOffset Time, string Line)? Append(RoomEvent e)
    {
        if (!_rooms.TryGetValue(e.RoomId, out var room))
        {
            _rooms[e.RoomId] = room = open.Open(e.RoomId, _day, _rooms);
        }

        return room.Append(e, receivedAt);
    }

    /// <summary>Appends to the quarantine, in memory.</summary>
    public void Append(Unloggable unloggable, string transactionId)
    {
        _quarantine ??= Quarantine.Open(open.Root, _day);
        Quarantine.Append(_quarantine, unloggable, transactionId, receivedAt);
    }

    /// <summary>
    /// Writes all that was appended: the journal with one sync, then the files. When this returns everything is durable;
    /// when it throws nothing of it stayed, in no file, and it may be tried again.
    /// </summary>
    /// <exception cref="IOException">The disk is full or failed, or a file was taken away.</exception>
    public void Commit()
    {
        var files = _rooms.Values.SelectMany(room => room.Touched).ToList();
        if (_quarantine is not null)
        {
            files.Add(_quarantine);
        }

        if (files.Count > 0)
        {
            journal.Commit(files);
            try
            {
                files.ForEach(file => file.Write());
            }
            catch
            {
                // In this order: what stayed in a file without its frame would be known when it is sent again, and durable nowhere.
                if (TryRollback())
                {
                    journal.Void();
                }
                else
                {
                    journal.Abandon();
                }

                throw;
            }

            foreach (var file in files)
            {
                file.Commit();
                journal.Wrote(file.Name, file.State);
            }

            foreach (var room in _rooms.Values)
            {
                room.Commit();
            }
        }

        _isCommitted = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isCommitted)
        {
            TryRollback();
            foreach (var room in _rooms.Values)
            {
                open.Close(room);
            }
        }

        _quarantine?.Dispose();
    }

    private bool TryRollback()
    {
        var isDone = true;
        foreach (var file in _rooms.Values.SelectMany(room => room.Touched).Append(_quarantine))
        {
            try
            {
                file?.Rollback();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // What stays behind is mended, or found to be known, when the log is opened anew.
                isDone = false;
            }
        }

        return isDone;
    }
}
