namespace LoggingService.RoomLogs;

/// <summary>The transactions of one group commit: all rooms or none. Disposing an uncommitted batch rolls it back.</summary>
internal sealed class Batch(OpenRooms open, Journal journal, DateTimeOffset receivedAt) : IDisposable
{
    private readonly Dictionary<string, RoomLog> _rooms = [];
    private readonly DateOnly _day = DateOnly.FromDateTime(receivedAt.DateTime);
    private DayFile? _quarantine;
    private bool _isCommitted;

    /// <summary>Appends an event to its room's log, in memory; returns <c>null</c> if the record has the event already.</summary>
    /// <exception cref="IOException">The room's files can't be opened.</exception>
    public (DateTimeOffset Time, string Line)? Append(RoomEvent e)
    {
        if (!_rooms.TryGetValue(e.RoomId, out var room))
        {
            _rooms[e.RoomId] = room = open.Open(e.RoomId, _day, _rooms);
        }

        return room.Append(e, receivedAt);
    }

    public void Append(Unloggable unloggable, string transactionId)
    {
        _quarantine ??= Quarantine.Open(open.Root, _day);
        Quarantine.Append(_quarantine, unloggable, transactionId, receivedAt);
    }

    /// <summary>Writes the journal with one fsync, then the files: all is durable, or all is undone and may be retried.</summary>
    /// <exception cref="IOException">The disk is full or failed, or a file was removed.</exception>
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
                // Roll back the files before the frame. The other order could leave an event in a file (a resend is then a
                // duplicate) but not in the journal.
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
                // Remains are repaired when the log is reopened.
                isDone = false;
            }
        }

        return isDone;
    }
}
