using LoggingService.Homeserver;
using LoggingService.Registration;

namespace LoggingService.Rooms;

/// <summary>
/// Answers invitations of our user, in the background: it joins a room that is logged, and declines others with a reason. Any user can
/// invite it: of more than <see cref="PerMinute"/> invitations a minute the rest stays unanswered.
/// </summary>
internal sealed partial class Invitations(
    AliasSearch search, RoomStates states, ServiceUser user, HomeserverRooms rooms, AppServiceRegistration registration,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Invitations> logger)
{
    public const int PerMinute = 10;

    private readonly CallLimit _limit = new(PerMinute, time);
    private readonly LogThrottle _ignoredThrottle = new(time);

    /// <summary>Answers an <c>m.room.member</c> event that invites our user.</summary>
    public void Answer(RoomEvent invitation)
    {
        if (_limit.TryAcquire())
        {
            // The answer outlives the transaction.
            var copy = invitation.Copy();
            _ = Task.Run(() => AnswerAsync(copy, lifetime.ApplicationStopping));
        }
        else if (_ignoredThrottle.TryAcquire())
        {
            Log.InvitationIgnored(logger, invitation.RoomId, PerMinute);
        }
    }

    private async Task AnswerAsync(RoomEvent invitation, CancellationToken cancellation)
    {
        var roomId = invitation.RoomId;
        try
        {
            if (await IsLoggedAsync(invitation, cancellation))
            {
                await rooms.JoinAsync(roomId, ServersOf(invitation), cancellation);
                Log.InvitationAccepted(logger, roomId, invitation.Sender);
            }
            else if (!user.IsJoinedTo(roomId))
            {
                var reason = $"This service joins only rooms that it logs: those with an alias that matches "
                    + $"{string.Join(" or ", registration.AliasNamespaces)}.";
                await rooms.LeaveAsync(roomId, cancellation, reason);
                Log.InvitationDeclined(logger, roomId, invitation.Sender);
            }
        }
        catch (HomeserverException e)
        {
            Log.InvitationFailed(logger, roomId, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The service stops. The invitation stays.
        }
    }

    /// <summary>Whether the room has a logged alias, or, where only members are told its aliases, whether its events arrive.</summary>
    private async Task<bool> IsLoggedAsync(RoomEvent invitation, CancellationToken cancellation)
    {
        var state = states.Get(invitation.RoomId);
        return state.IsInRoomsNamespace
            || (await search.FindAsync(invitation.RoomId, HintsOf(invitation), cancellation) ?? state.IsLogged);
    }

    /// <summary>The aliases that the stripped state names (Client-Server API, "Stripped state").</summary>
    private static List<RoomAlias> HintsOf(RoomEvent invitation)
    {
        var stripped = invitation.Unsigned["invite_room_state"u8];
        return
        [
            .. stripped.Items().Where(e => e["type"u8].IsString("m.room.canonical_alias"u8))
                .SelectMany(e => AliasSearch.GetHints(e["content"u8])),
        ];
    }

    private static IEnumerable<string> ServersOf(RoomEvent invitation) =>
        invitation.Sender is { } sender && sender.Contains(':', StringComparison.Ordinal) ? [ServiceUser.ServerOf(sender)] : [];

    private static partial class Log
    {
        [LoggerMessage(EventIds.InvitationAccepted, LogLevel.Information, "Joined {RoomId}, to which {Sender} invited the service")]
        public static partial void InvitationAccepted(ILogger logger, string roomId, string? sender);

        [LoggerMessage(EventIds.InvitationDeclined, LogLevel.Information,
            "Declined the invitation of {Sender} to {RoomId}, which has no logged alias")]
        public static partial void InvitationDeclined(ILogger logger, string roomId, string? sender);

        [LoggerMessage(EventIds.InvitationIgnored, LogLevel.Warning,
            "Ignored an invitation to {RoomId}: the service answers {PerMinute} a minute. Further occurrences are logged once a minute.")]
        public static partial void InvitationIgnored(ILogger logger, string roomId, int perMinute);

        [LoggerMessage(EventIds.InvitationFailed, LogLevel.Information, "Failed to answer an invitation to {RoomId}: {Reason}")]
        public static partial void InvitationFailed(ILogger logger, string roomId, string reason);
    }
}
