using System.Globalization;
using System.Text.Json;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Who may set a room's topic, by its power levels now: from the homeserver where our user is a member, otherwise from the room's record.
/// (Client-Server API, <c>m.room.power_levels</c>; room version 12 for creators.)
/// </summary>
internal sealed class RoomPower(LogDirectory logs, ServiceUser user, HomeserverRooms rooms)
{
    private const int CreatorsOutrankAll = 12;

    /// <returns>False also if the power levels are not known.</returns>
    /// <exception cref="HomeserverException">The homeserver can't be asked.</exception>
    public async Task<bool> MaySetTopicAsync(string roomId, string sender, CancellationToken cancellation)
    {
        if (!user.IsJoinedTo(roomId))
        {
            var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
            var create = RoomRecords.FindState(folder, "m.room.create"u8);
            var levels = RoomRecords.FindState(folder, "m.room.power_levels"u8);
            return create is not null && levels is not null && MaySetTopic(create.Sender, create.Content, levels.Content, sender);
        }

        try
        {
            var create = await rooms.GetStateAsync(roomId, "m.room.create", cancellation);
            var creator = await rooms.GetCreatorAsync(roomId, cancellation);
            var levels = await rooms.GetStateAsync(roomId, "m.room.power_levels", cancellation);
            return MaySetTopic(creator, create, levels, sender);
        }
        catch (HomeserverException e) when (!e.IsTransient)
        {
            return false;
        }
    }

    private static bool MaySetTopic(string? creator, RawJson create, RawJson levels, string sender)
    {
        var version = create["room_version"u8].AsString() ?? "1";
        var isNewest = version == "org.matrix.hydra.11"
            || (int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= CreatorsOutrankAll);
        if (isNewest && (sender == creator || create["additional_creators"u8].Items().Any(other => other.AsString() == sender)))
        {
            return true;
        }

        var users = levels["users"u8].Members();
        var own = users.TryGetValue(Utf8Text.From(sender), out var listed) ? listed : levels["users_default"u8];
        var topic = levels["events"u8]["m.room.topic"u8];
        var needed = topic.Bytes.IsEmpty ? levels["state_default"u8] : topic;
        return LevelOf(own, 0) is { } level && LevelOf(needed, 50) is { } required && level >= required;
    }

    /// <summary>Up to room version 9 a level may be a string; <c>null</c> if it is neither.</summary>
    private static long? LevelOf(RawJson value, long @default) => value.Kind switch
    {
        JsonValueKind.Undefined => @default,
        JsonValueKind.String => long.TryParse(value.AsString(), CultureInfo.InvariantCulture, out var level) ? level : null,
        _ => value.AsInteger(),
    };
}
