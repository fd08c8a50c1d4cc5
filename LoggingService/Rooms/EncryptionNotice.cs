using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>Tells the members of a room, where our user is one, that its messages can't be logged any more.</summary>
internal sealed partial class EncryptionNotice(
    ServiceUser user, HomeserverRooms rooms, IHostApplicationLifetime lifetime, ILogger<EncryptionNotice> logger)
{
    private const string Text =
        "Encryption was switched on in this room. LoggingService cannot read encrypted messages: "
        + "from now on its log has who wrote when, and no text.";

    /// <param name="note">The note that the room is encrypted: a note that is logged again after a crash sends no second notice.</param>
    public void Send(RoomEvent note)
    {
        if (user.IsJoinedTo(note.RoomId))
        {
            _ = Task.Run(() => SendAsync(note.RoomId, note.EventId));
        }
    }

    private async Task SendAsync(string roomId, string transactionId)
    {
        try
        {
            await rooms.SendNoticeAsync(roomId, transactionId, Text, lifetime.ApplicationStopping);
        }
        catch (HomeserverException e)
        {
            Log.NoticeFailed(logger, roomId, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.NoticeFailed, LogLevel.Information, "Failed to send a notice to {RoomId}: {Reason}")]
        public static partial void NoticeFailed(ILogger logger, string roomId, string reason);
    }
}
