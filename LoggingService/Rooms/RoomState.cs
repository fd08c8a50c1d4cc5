using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>Whether a room is logged, and what its log ends with.</summary>
internal sealed class RoomState(string roomId, bool isInRoomsNamespace, RoomEvent? lastLogged)
{
    private readonly Lock _lock = new();
    private bool? _hasAlias;
    private string? _lastEventId = lastLogged?.EventId;
    private bool _isStopped = lastLogged is { IsNote: true, Type: Note.LoggingStopped };

    /// <summary>The room is logged whatever its aliases.</summary>
    public bool IsInRoomsNamespace => isInRoomsNamespace;

    /// <summary>
    /// Whether the room has a logged alias, as the homeserver last said of a room that our user is a member of; <c>null</c> if not known.
    /// </summary>
    public bool? HasAlias
    {
        get
        {
            lock (_lock)
            {
                return _hasAlias;
            }
        }

        set
        {
            lock (_lock)
            {
                _hasAlias = value;
            }
        }
    }

    /// <summary>The last known alias, for the note that logging stopped.</summary>
    public RoomAlias? LastAlias { get; set; }

    /// <summary>The last logged event, or note that logging stopped or resumed; <c>null</c> if there is none.</summary>
    public string? LastEventId
    {
        get
        {
            lock (_lock)
            {
                return _lastEventId;
            }
        }
    }

    /// <summary>Whether we created the room; <c>null</c> if the homeserver was not asked.</summary>
    public bool? IsCreatedByUs { get; set; }

    /// <summary>Whether events of the room have been logged.</summary>
    public bool HasLog
    {
        get
        {
            lock (_lock)
            {
                return _lastEventId is not null;
            }
        }
    }

    /// <summary>Whether the room's log ends with the note that logging stopped.</summary>
    public bool IsStopped
    {
        get
        {
            lock (_lock)
            {
                return _isStopped;
            }
        }
    }

    /// <summary>Whether the room counts as logged, as far as known.</summary>
    public bool IsLogged
    {
        get
        {
            lock (_lock)
            {
                return _hasAlias ?? (_lastEventId is not null && !_isStopped);
            }
        }
    }

    /// <summary>Notes that an event will be logged.</summary>
    public void SetLast(string eventId)
    {
        lock (_lock)
        {
            _lastEventId = eventId;
        }
    }

    /// <summary>Returns the note that must be logged before the next event, if logging had stopped.</summary>
    public RoomEvent? Resume()
    {
        lock (_lock)
        {
            if (!_isStopped)
            {
                return null;
            }

            var note = Note.Create(Note.LoggingResumed, roomId, _lastEventId!);
            _isStopped = false;
            _lastEventId = note.EventId;
            return note;
        }
    }

    /// <summary>Notes that the room has no logged alias; returns the note that must be logged, if the room was logged.</summary>
    public RoomEvent? Stop()
    {
        lock (_lock)
        {
            _hasAlias = false;
            if (_isStopped || _lastEventId is null)
            {
                return null;
            }

            var alias = LastAlias?.ToString();
            var note = Note.Create(Note.LoggingStopped, roomId, _lastEventId, content =>
            {
                if (alias is not null)
                {
                    content.WriteString("alias", alias);
                }
            });
            _isStopped = true;
            _lastEventId = note.EventId;
            return note;
        }
    }
}
