using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Who may set a room's topic, by its power levels now: from the homeserver where our user is a member, otherwise from the room's record,
/// or from <c>room.json</c>, which outlives the days with the events.
/// </summary>
internal sealed class RoomPower(LogDirectory logs, RoomFiles files, ServiceUser user, HomeserverRooms rooms, TimeProvider time)
    : BackgroundService
{
    private const string Creation = "m.room.create";
    private const string PowerLevels = "m.room.power_levels";

    private readonly RetryQueue<RoomEvent> _queue = new(e => $"{e.Type} {e.RoomId}", time);

    /// <returns>False also if the power levels are not known.</returns>
    /// <exception cref="HomeserverException">The homeserver can't be asked.</exception>
    public async Task<bool> MaySetTopicAsync(string roomId, string sender, CancellationToken cancellation)
    {
        if (!user.IsJoinedTo(roomId))
        {
            var file = files.Get(roomId);
            var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
            file = RoomRecords.FindState(folder, "m.room.create"u8) is { } created ? With(file, created) : file;
            file = RoomRecords.FindState(folder, "m.room.power_levels"u8) is { } changed ? With(file, changed) : file;
            return TopicSetters.Contain(file.Creators, file.TopicSetters, sender);
        }

        try
        {
            var create = await rooms.GetStateAsync(roomId, Creation, cancellation);
            var creator = await rooms.GetCreatorAsync(roomId, cancellation);
            var levels = await rooms.GetStateAsync(roomId, PowerLevels, cancellation);
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

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        logs.Written += OnWritten;
        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _queue.RunAsync(TryKeepAsync, stoppingToken);

    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        foreach (var (e, _) in lines)
        {
            if (e is { IsNote: false, StateKeyText.Length: 0, Type: Creation or PowerLevels })
            {
                _queue.Add(e.Copy());
            }
        }
    }

    private Task<bool> TryKeepAsync(RoomEvent e, CancellationToken cancellation)
    {
        try
        {
            files.Update(e.RoomId, file => With(file, e));
            return Task.FromResult(true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The record has it meanwhile.
            return Task.FromResult(false);
        }
    }
}
