using LoggingService.Homeserver;
using LoggingService.Rendering;

namespace LoggingService.Rooms;

/// <summary>
/// Follows the state events that change what happens to a room: our membership, encryption, an upgrade. Calls to the homeserver are made
/// in the background.
/// </summary>
internal sealed class RoomLife(ServiceUser user, Invitations invitations, RoomUpgrades upgrades, FirstStates firstStates)
{
    /// <summary>Follows a state event; returns the note that must be logged behind it, or <c>null</c>.</summary>
    /// <param name="wasJoined">For an event of our membership, whether our user was a member before.</param>
    public RoomEvent? Follow(RoomEvent e, RoomState state, bool isLogged, bool wasJoined)
    {
        switch (e.Type)
        {
            case "m.room.member" when user.Id is { } id && e.StateKey == id && Counts(e):
                return FollowOurMembership(e, state, isLogged, wasJoined);
            case "m.room.encryption" when isLogged && e.StateKey == "" && Counts(e) && StartsEncryption(e):
                return Note.Create(Note.EncryptionEnabled, e.RoomId, e.EventId);
            case "m.room.tombstone" when (isLogged || state.HasLog) && e.StateKey == "" && Counts(e):
                upgrades.Follow(e);
                return null;
            default:
                return null;
        }
    }

    /// <summary>Notes that the first event of a room will be logged.</summary>
    public void FollowFirst(RoomEvent first)
    {
        if (first.Type != "m.room.create")
        {
            firstStates.FetchWhenLogged(first.RoomId);
        }
    }

    /// <summary>Whether the homeserver applied the event to the state of the room.</summary>
    private static bool Counts(RoomEvent e) => RenderContext.NoticeOf(e) is null;

    private RoomEvent? FollowOurMembership(RoomEvent e, RoomState state, bool isLogged, bool wasJoined)
    {
        var membership = e.Content["membership"u8].AsString();
        var previous = e.Unsigned["prev_content"u8]["membership"u8].AsString();
        switch (membership)
        {
            case "invite" when e.Sender != user.Id && !wasJoined:
                invitations.Answer(e);
                return null;
            case "join" when isLogged && !wasJoined && state.IsCreatedByUs != true:
                firstStates.FetchWhenLogged(e.RoomId);
                return null;
            case "ban" when isLogged:
            case "leave" when isLogged && e.Sender != user.Id && (previous == "join" || (previous is null && wasJoined)):
                return Note.Create(Note.ServiceRemoved, e.RoomId, e.EventId, content =>
                {
                    content.WriteString("membership", membership);
                    if (e.Sender is { } sender)
                    {
                        content.WriteString("by", sender);
                    }
                });
            default:
                return null;
        }
    }

    private static bool StartsEncryption(RoomEvent e) =>
        !string.IsNullOrEmpty(e.Content["algorithm"u8].AsString())
        && string.IsNullOrEmpty(e.Unsigned["prev_content"u8]["algorithm"u8].AsString());
}
