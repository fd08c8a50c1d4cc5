using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Stops logging a room when a check finds that its last logged alias is gone: with a note. Our user leaves a room
/// that it created, and with <c>JoinLoggedRooms</c> any other: the list of members must not tell that the room is logged.
/// Only where our user is a member does the homeserver push the events of such a room.
/// </summary>
internal sealed partial class StoppedRooms(
    ServiceUser user, HomeserverRooms homeserver, PendingRooms pending, RoomStates states, RoomNotes notes, LoggingServiceOptions options,
    ILogger<StoppedRooms> logger)
{
    /// <summary>Applies the result of a check of a room's aliases (<see cref="AliasChecks.Checked"/>).</summary>
    public async Task ApplyAsync(string roomId, bool? hasAlias, CancellationToken cancellation)
    {
        var state = states.Get(roomId);
        if (hasAlias is null || state.IsInRoomsNamespace || !user.IsJoinedTo(roomId) || pending.Contains(roomId))
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
                await notes.LogAsync(note);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next event reads what the log ends with.
                states.Remove(roomId);
                return;
            }
        }

        if (!options.JoinLoggedRooms)
        {
            state.IsCreatedByUs ??= await homeserver.GetCreatorAsync(roomId, cancellation) == user.Id;
        }

        if (options.JoinLoggedRooms || state.IsCreatedByUs == true)
        {
            await homeserver.LeaveAsync(roomId, cancellation);
            Log.RoomLeft(logger, roomId);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomLeft, LogLevel.Information, "Left {RoomId}, which has no logged alias anymore")]
        public static partial void RoomLeft(ILogger logger, string roomId);
    }
}
