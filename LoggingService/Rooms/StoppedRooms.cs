using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Stops logging a room when a check finds that its last logged alias is gone: with a note, and our user leaves a room that it created.
/// Only where our user is a member does the homeserver push the events of such a room.
/// </summary>
internal sealed partial class StoppedRooms(
    ServiceUser user, HomeserverRooms homeserver, PendingRooms pending, RoomStates states, RoomNotes notes, ILogger<StoppedRooms> logger)
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

        state.IsCreatedByUs ??= await homeserver.GetCreatorAsync(roomId, cancellation) == user.Id;
        if (state.IsCreatedByUs == true)
        {
            await homeserver.LeaveAsync(roomId, cancellation);
            Log.RoomLeft(logger, roomId);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomLeft, LogLevel.Information, "Left {RoomId}, which the service created and which has no alias anymore")]
        public static partial void RoomLeft(ILogger logger, string roomId);
    }
}
