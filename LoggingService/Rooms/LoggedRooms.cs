using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Decides which rooms are logged: those with an alias or an id in the registration's namespaces, and those that we are creating. A
/// homeserver also pushes the events of rooms that the service's own user has joined or is invited to (Application Service API,
/// "Registration"): of these the aliases decide. When the last one is gone, logging stops with a note.
/// </summary>
internal sealed class LoggedRooms(
    ServiceUser user, AliasSearch search, AliasChecks checks, PendingRooms pending, RoomStates states, RoomLife life, TimeProvider time)
{
    /// <summary>For all queries of a transaction: the homeserver waits for the response, and a stop may take 10 s at most.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Timestamp of the last failed query; 0 if there is none.</summary>
    private long _lastFailure;

    /// <summary>
    /// Returns the events of logged rooms, in order, with notes where logging stops or resumes. A room that is not known and that the
    /// homeserver cannot be asked for counts as logged.
    /// </summary>
    public async Task<IReadOnlyList<RoomEvent>> FilterAsync(IReadOnlyList<RoomEvent> events)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        await TryQueryAsync(() => user.EnsureIdentifiedAsync(timeout.Token));
        var logged = new List<RoomEvent>(events.Count);
        var rooms = new Dictionary<string, RoomOfTransaction>();
        foreach (var e in events)
        {
            if (!rooms.TryGetValue(e.RoomId, out var room))
            {
                rooms[e.RoomId] = room = new(states.Get(e.RoomId));
            }

            // The later events of the room are decided by what this one changed.
            var isOurMembership = IsOurMembership(e);
            var isAboutUs = isOurMembership || IsOurCreation(e);
            var wasJoined = isOurMembership && user.IsJoinedTo(e.RoomId);
            if (isAboutUs || room.IsLogged is null)
            {
                room.SetLast();
                room.IsLogged = await IsLoggedAsync(e, room, timeout.Token);
                AddNote(logged, room);
            }

            if (room.IsLogged == true)
            {
                if (room.Last is null && !room.State.HasLog)
                {
                    life.FollowFirst(e);
                }

                logged.Add(e);
                room.Last = e;
            }

            if (e.StateKey is not null && life.Follow(e, room.State, room.IsLogged == true, wasJoined) is { } note)
            {
                logged.Add(note);
            }

            if (isAboutUs)
            {
                room.IsLogged = null;
            }
        }

        foreach (var room in rooms.Values)
        {
            room.SetLast();
        }

        return logged;
    }

    /// <summary>Forgets the rooms of notes that could not be journalled: the next event reads what their logs end with.</summary>
    public void Forget(IEnumerable<RoomEvent> events)
    {
        foreach (var note in events.Where(e => e.IsNote))
        {
            states.Remove(note.RoomId);
        }
    }

    /// <summary>Adds the note that logging stops or resumes, if it does.</summary>
    private static void AddNote(List<RoomEvent> logged, RoomOfTransaction room)
    {
        if (room.IsLogged == true && room.State.Resume() is { } resumed)
        {
            logged.Add(resumed);
        }
        else if (room is { IsLogged: false, HasAlias: false } && room.State.Stop() is { } stopped)
        {
            logged.Add(stopped);
        }
    }

    private bool IsOurCreation(RoomEvent e) => e is { StateKey: "", Type: "m.room.create" } && e.Sender == user.Id;

    private bool IsOurMembership(RoomEvent e) => e is { StateKey: { } userId, Type: "m.room.member" } && userId == user.Id;

    private async Task<bool> IsLoggedAsync(RoomEvent e, RoomOfTransaction room, CancellationToken cancellation)
    {
        if (user.Id is null || room.State.IsInRoomsNamespace)
        {
            return true;
        }

        var state = room.State;
        if (IsOurCreation(e) && !state.HasLog)
        {
            // The alias follows; the next check is a minute away. The creation of a room that has a log was sent again.
            state.HasAlias = true;
            state.IsCreatedByUs = true;
            checks.SetChecked(e.RoomId);
            return true;
        }

        // Our own membership is pushed from any room.
        var isOurMembership = IsOurMembership(e);
        var wasJoined = user.IsJoinedTo(e.RoomId);
        var isOurJoin = isOurMembership && user.TrackMembership(e);
        if (isOurMembership && !isOurJoin)
        {
            // Like an invitation, our leave alone is no reason to log a room, and only members may query the aliases.
            return state.IsLogged;
        }

        if (!wasJoined && !isOurJoin)
        {
            // Without our membership, only an alias of the namespace can be the reason for the push.
            state.HasAlias = null;
            return true;
        }

        if (state.HasAlias == true)
        {
            return true;
        }

        if (!room.IsQueried)
        {
            room.IsQueried = true;
            await TryQueryAsync(async () => room.HasAlias = await search.FindAsync(e.RoomId, [], cancellation));
            room.HasAlias = room.HasAlias == false && pending.Contains(e.RoomId) ? true : room.HasAlias;
            if (room.HasAlias is not null)
            {
                checks.SetChecked(e.RoomId);
            }
        }

        // Without a response the last one counts, or else what the log ends with.
        state.HasAlias = room.HasAlias ?? state.HasAlias;
        return state.HasAlias ?? !state.IsStopped;
    }

    private async Task TryQueryAsync(Func<Task> query)
    {
        if (_lastFailure != 0 && time.GetElapsedTime(_lastFailure) < HomeserverResilience.Cooldown)
        {
            return;
        }

        try
        {
            await query();
        }
        catch (Exception e) when (e is HomeserverException or OperationCanceledException)
        {
            // At startup StartupCheck logs the reason.
            if (e is OperationCanceledException or HomeserverException { IsTransient: true } || user.Id is null)
            {
                _lastFailure = time.GetTimestamp();
            }
        }
    }

    /// <summary>A room of the transaction that is being filtered.</summary>
    private sealed class RoomOfTransaction(RoomState state)
    {
        public RoomState State => state;

        /// <summary>The decision about the next events; <c>null</c> if it is to be made.</summary>
        public bool? IsLogged { get; set; }

        public bool IsQueried { get; set; }

        /// <summary>The homeserver's response; <c>null</c> if there is none.</summary>
        public bool? HasAlias { get; set; }

        /// <summary>The last logged event; <c>null</c> if the state has it.</summary>
        public RoomEvent? Last { get; set; }

        public void SetLast()
        {
            if (Last is not null)
            {
                state.SetLast(Last.EventId);
                Last = null;
            }
        }
    }
}
