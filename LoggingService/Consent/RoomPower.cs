using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Who may set a room's topic, by its power levels now: from the homeserver where our user is a member, otherwise from the room's record,
/// or from <c>room.json</c>, which outlives the days with the events.
/// </summary>
internal sealed class RoomPower
{
    private const string Creation = "m.room.create";
    private const string PowerLevels = "m.room.power_levels";

    private readonly LogDirectory _logs;
    private readonly RoomFiles _files;
    private readonly ServiceUser _user;
    private readonly HomeserverRooms _rooms;

    public RoomPower(LogDirectory logs, RoomFiles files, RoomFileUpdates updates, ServiceUser user, HomeserverRooms rooms)
    {
        (_logs, _files, _user, _rooms) = (logs, files, user, rooms);

        // The replay of the journal begins before the background services do.
        Subscribe(logs, updates);
    }

    /// <summary>Begins to keep in <c>room.json</c> what is logged of it.</summary>
    public static void Subscribe(LogDirectory logs, RoomFileUpdates updates) => logs.Written += lines => Track(lines, updates);

    /// <returns>False also if the power levels are not known.</returns>
    /// <exception cref="HomeserverException">The homeserver can't be asked.</exception>
    public async Task<bool> MaySetTopicAsync(string roomId, string sender, CancellationToken cancellation)
    {
        // At a start it is not known yet in which rooms our user is a member.
        await _user.EnsureIdentifiedAsync(cancellation);
        if (!_user.IsJoinedTo(roomId))
        {
            var file = _files.Get(roomId);
            var folder = Path.Combine(_logs.Root, FolderName.ForRoom(roomId));
            file = RoomRecords.FindState(folder, "m.room.create"u8) is { } created ? With(file, created) : file;
            file = RoomRecords.FindState(folder, "m.room.power_levels"u8) is { } changed ? With(file, changed) : file;
            return TopicSetters.Contain(file.Creators, file.TopicSetters, sender);
        }

        try
        {
            var create = await _rooms.GetStateAsync(roomId, Creation, cancellation);
            var creator = await _rooms.GetCreatorAsync(roomId, cancellation);
            var levels = await _rooms.GetStateAsync(roomId, PowerLevels, cancellation);
            return TopicSetters.Contain(
                TopicSetters.OfCreation(create, creator), TopicSetters.OfPowerLevels(levels, sentAt: null), sender);
        }
        catch (HomeserverException e) when (!e.IsTransient)
        {
            return false;
        }
    }

    /// <summary>The file with what an event says; with what it had, if that is newer.</summary>
    private static RoomFile With(RoomFile file, RoomEvent e) => e switch
    {
        { Type: Creation } => file with { Creators = TopicSetters.OfCreation(e.Content, e.Sender) },
        { FetchedTs: not null } when TopicSetters.SentAt(file.TopicSetters) > e.OriginServerTs => file,
        _ => file with { TopicSetters = TopicSetters.OfPowerLevels(e.Content, e.OriginServerTs) },
    };

    private static void Track(IReadOnlyList<LoggedLine> lines, RoomFileUpdates updates)
    {
        foreach (var (e, _) in lines)
        {
            if (e is { IsNote: false, StateKeyText.Length: 0, Type: Creation or PowerLevels })
            {
                var state = e.Copy();
                updates.Add(e.RoomId, file => With(file, state));
            }
        }
    }
}
