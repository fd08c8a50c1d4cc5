using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Stops logging a room when a check finds that its last logged alias is gone: with a note, and our user leaves a room that it created.
/// Only where our user is a member does the homeserver push the events of such a room.
/// </summary>
internal sealed partial class StoppedRooms
{
    private readonly ServiceUser _user;
    private readonly HomeserverClient _homeserver;
    private readonly PendingRooms _pending;
    private readonly RoomStates _states;
    private readonly ILogger<StoppedRooms> _logger;

    public StoppedRooms(
        ServiceUser user, HomeserverClient homeserver, AliasChecks checks, PendingRooms pending, RoomStates states,
        ILogger<StoppedRooms> logger)
    {
        _user = user;
        _homeserver = homeserver;
        _pending = pending;
        _states = states;
        _logger = logger;
        checks.Checked = ApplyAsync;
    }

    /// <summary>Logs a note, durably. Throws <see cref="IOException"/> if it can't be.</summary>
    public Func<RoomEvent, Task> LogNoteAsync { private get; set; } = static _ => Task.CompletedTask;

    private async Task ApplyAsync(string roomId, bool? hasAlias, CancellationToken cancellation)
    {
        var state = _states.Get(roomId);
        if (hasAlias is null || state.IsInRoomsNamespace || !_user.IsJoinedTo(roomId) || _pending.Contains(roomId))
        {
            return;
        }

        if (hasAlias == true)
        {
            state.HasAlias = true;
            return;
        }

        if (state.Stop() is { } note)
        {
            try
            {
                await LogNoteAsync(note);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next event reads what the log ends with.
                _states.Remove(roomId);
                return;
            }
        }

        state.IsCreatedByUs ??= await _homeserver.GetCreatorAsync(roomId, cancellation) == _user.Id;
        if (state.IsCreatedByUs == true)
        {
            await _homeserver.LeaveAsync(roomId, cancellation);
            Log.RoomLeft(_logger, roomId);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomLeft, LogLevel.Information, "Left {RoomId}, which the service created and which has no alias anymore")]
        public static partial void RoomLeft(ILogger logger, string roomId);
    }
}
