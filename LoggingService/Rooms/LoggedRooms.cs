using System.Collections.Concurrent;
using LoggingService.Events;
using LoggingService.Homeserver;
using LoggingService.Registration;
using LoggingService.RoomLogs;

namespace LoggingService.Rooms;

/// <summary>
/// Which rooms are logged. A homeserver pushes the events of a room that has an alias in the registration's namespace, and
/// of one that the service's own user is a member of or invited to (Application Service API, "Registration"); only the first
/// kind is logged.
/// </summary>
internal sealed class LoggedRooms(AppServiceRegistration registration, ServiceUser user, RoomAliases aliases, LogDirectory logs, TimeProvider time)
{
    /// <summary>How long the homeserver is left alone after it couldn't be asked.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    /// <summary>How long a transaction waits for the homeserver's word: it waits for us meanwhile, and a stop must not take longer than 10 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, bool> _madeByUs = new();
    private long _gaveUp;

    /// <summary>Keeps the events of rooms that are logged, in their order. While the homeserver can't be asked, or takes too long, all are.</summary>
    public async Task<IReadOnlyList<RoomEvent>> KeepLoggedAsync(IReadOnlyList<RoomEvent> events)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        await TryAskAsync(() => user.AskAsync(patience.Token));
        List<RoomEvent> kept = [];
        var asked = new Dictionary<string, bool?>();
        foreach (var e in events)
        {
            if (await IsLoggedAsync(e, asked, patience.Token))
            {
                kept.Add(e);
            }
        }

        return kept;
    }

    private async Task<bool> IsLoggedAsync(RoomEvent e, Dictionary<string, bool?> asked, CancellationToken cancellation)
    {
        if (user.Id is not { } us || IsInRoomsNamespace(e.RoomId))
        {
            return true;
        }

        if (e is { Type: EventTypes.RoomCreate, StateKey: "" } && e.Sender == us)
        {
            _madeByUs[e.RoomId] = true;
        }

        // An invitation of ours, and its end, is pushed because it is about us, wherever it happened.
        var isAboutUs = e.Type == EventTypes.RoomMember && e.StateKey == us;
        var wasMember = user.IsIn(e.RoomId);
        var isJoin = isAboutUs && user.Follow(e);
        var isMember = wasMember || isJoin;

        if (aliases.IsNamed(e.RoomId) || _madeByUs.ContainsKey(e.RoomId) || (isAboutUs && !isJoin && logs.HasRoom(e.RoomId)))
        {
            return true;
        }

        // Where we are no member only a matching alias can have brought it.
        if (!isMember)
        {
            return !isAboutUs;
        }

        if (!asked.TryGetValue(e.RoomId, out var hasLoggedAlias))
        {
            await TryAskAsync(async () =>
            {
                try
                {
                    hasLoggedAlias = await aliases.LearnFromHomeserverAsync(e.RoomId, cancellation);
                }
                catch (HomeserverException refused) when (refused.Status == 403 && isAboutUs && !isJoin)
                {
                    // We left: it doesn't tell us any more, and our leave says as little of the room as our invitation.
                    hasLoggedAlias = false;
                }
            });
            asked[e.RoomId] = hasLoggedAlias;
        }

        return hasLoggedAlias ?? true;
    }

    /// <summary>Asks the homeserver something for a transaction, unless it couldn't be asked a moment ago.</summary>
    private async Task TryAskAsync(Func<Task> ask)
    {
        if (_gaveUp != 0 && time.GetElapsedTime(_gaveUp) < Pause)
        {
            return;
        }

        try
        {
            await ask();
        }
        catch (Exception e) when (e is HomeserverException or OperationCanceledException)
        {
            // The check at start tells the admin why; here it only means that everything is logged.
            if (e is OperationCanceledException || user.Id is null || e is HomeserverException { IsPassing: true })
            {
                _gaveUp = time.GetTimestamp();
            }
        }
    }

    /// <summary>A regex that doesn't come to an end decides nothing: what it may have meant is logged.</summary>
    private bool IsInRoomsNamespace(string roomId)
    {
        try
        {
            return registration.IsLoggedRoom(roomId);
        }
        catch (TimeoutException)
        {
            return true;
        }
    }
}
