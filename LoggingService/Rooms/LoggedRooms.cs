using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.Registration;

namespace LoggingService.Rooms;

/// <summary>Whether a room has been logged before.</summary>
internal delegate bool HasRoomLog(string roomId);

/// <summary>
/// Decides which rooms are logged: those with an alias or an id in the registration's namespaces, and those that we created.
/// A homeserver also pushes the events of rooms that the service's own user has joined or is invited to (Application Service
/// API, "Registration").
/// </summary>
internal sealed class LoggedRooms(
    AppServiceRegistration registration, ServiceUser user, RoomAliases aliases, HasRoomLog hasLog, TimeProvider time)
{
    /// <summary>For all queries of a transaction: the homeserver waits for the response, and a stop may take 10 s at most.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, bool> _createdByUs = new();

    /// <summary>Timestamp of the last failed query; 0 if there is none.</summary>
    private long _lastFailure;

    /// <summary>Returns the events of logged rooms, in order. While the homeserver cannot be queried, all rooms count as logged.</summary>
    public async Task<IReadOnlyList<RoomEvent>> FilterAsync(IReadOnlyList<RoomEvent> events)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        await TryQueryAsync(() => user.EnsureIdentifiedAsync(timeout.Token));
        var logged = new List<RoomEvent>(events.Count);
        var decided = new Dictionary<string, bool>();
        var queried = new Dictionary<string, bool?>();
        foreach (var e in events)
        {
            var isAboutUs = IsOurCreation(e) || IsOurMembership(e);
            if (isAboutUs || !decided.TryGetValue(e.RoomId, out var isLogged))
            {
                isLogged = await IsLoggedAsync(e, queried, timeout.Token);
                decided[e.RoomId] = isLogged;
            }

            if (isAboutUs)
            {
                // The later events of the room are decided by what this one changed.
                decided.Remove(e.RoomId);
            }

            if (isLogged)
            {
                logged.Add(e);
            }
        }

        return logged;
    }

    private bool IsOurCreation(RoomEvent e) => e is { StateKey: "", Type: "m.room.create" } && e.Sender == user.Id;

    private bool IsOurMembership(RoomEvent e) => e is { StateKey: { } userId, Type: "m.room.member" } && userId == user.Id;

    private async Task<bool> IsLoggedAsync(RoomEvent e, Dictionary<string, bool?> queried, CancellationToken cancellation)
    {
        if (user.Id is null || IsInRoomsNamespace(e.RoomId))
        {
            return true;
        }

        if (IsOurCreation(e))
        {
            _createdByUs[e.RoomId] = true;
        }

        // Our own membership is pushed from any room.
        var isOurMembership = IsOurMembership(e);
        var wasJoined = user.IsJoinedTo(e.RoomId);
        var isOurJoin = isOurMembership && user.TrackMembership(e);
        var isInviteOrLeave = isOurMembership && !isOurJoin;

        if (aliases.HasOrHadAlias(e.RoomId) || _createdByUs.ContainsKey(e.RoomId) || (isInviteOrLeave && hasLog(e.RoomId)))
        {
            return true;
        }

        // Without our membership, only an alias of the namespace can be the reason for the push.
        if (!wasJoined && !isOurJoin)
        {
            return !isOurMembership;
        }

        if (!queried.TryGetValue(e.RoomId, out var hasLoggedAlias))
        {
            await TryQueryAsync(async () =>
            {
                try
                {
                    hasLoggedAlias = await aliases.ConfirmAsync(e.RoomId, cancellation);
                }
                catch (HomeserverException refused) when (refused.Status == StatusCodes.Status403Forbidden && isInviteOrLeave)
                {
                    // Only members may query the aliases. Like an invitation, our leave alone is no reason to log a room.
                    hasLoggedAlias = false;
                }
            });
            queried[e.RoomId] = hasLoggedAlias;
        }

        return hasLoggedAlias ?? true;
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
            // The room counts as logged. At startup StartupCheck logs the reason.
            if (e is OperationCanceledException or HomeserverException { IsTransient: true } || user.Id is null)
            {
                _lastFailure = time.GetTimestamp();
            }
        }
    }

    /// <summary>A room for which the regex times out counts as logged.</summary>
    private bool IsInRoomsNamespace(string roomId)
    {
        try
        {
            return registration.MatchesRoomNamespace(roomId);
        }
        catch (TimeoutException)
        {
            return true;
        }
    }
}
