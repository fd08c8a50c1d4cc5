using System.Collections.Concurrent;
using System.Threading.Channels;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Joins public rooms that get a logged alias (<c>JoinLoggedRooms</c>), so that their list of members tells who logs. A room from which
/// our user was kicked or banned is not joined again.
/// </summary>
internal sealed partial class LoggedRoomJoins(
    RoomAliases aliases, ServiceUser user, HomeserverRooms rooms, LoggingServiceOptions options, TimeProvider time,
    ILogger<LoggedRoomJoins> logger) : BackgroundService
{
    private const int PerMinute = 10;

    private readonly Channel<string> _queue =
        Channel.CreateUnbounded<string>(new() { SingleReader = true });

    /// <summary>The rooms that were tried since they got their alias.</summary>
    private readonly ConcurrentDictionary<string, bool> _tried = new();

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        aliases.Confirmed += (_, roomId) => Enqueue(roomId);
        aliases.Removed += (_, roomId) => _tried.TryRemove(roomId, out var _);
        aliases.Moved += (_, former, _) => _tried.TryRemove(former, out var _);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var roomId in _queue.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                if (await MayJoinAsync(roomId, stoppingToken))
                {
                    await rooms.JoinAsync(roomId, [], stoppingToken);
                    Log.LoggedRoomJoined(logger, roomId);
                    await Task.Delay(TimeSpan.FromMinutes(1) / PerMinute, time, stoppingToken);
                }
            }
            catch (HomeserverException e) when (e.IsTransient)
            {
                // The next poll of the alias tries again.
                _tried.TryRemove(roomId, out _);
            }
            catch (HomeserverException e)
            {
                Log.LoggedRoomNotJoined(logger, roomId, e.Message);
            }
        }
    }

    private void Enqueue(string roomId)
    {
        if (options.JoinLoggedRooms && !user.IsJoinedTo(roomId) && _tried.TryAdd(roomId, true))
        {
            _queue.Writer.TryWrite(roomId);
        }
    }

    /// <summary>Whether our user was never a member, or left of its own accord.</summary>
    private async Task<bool> MayJoinAsync(string roomId, CancellationToken cancellation)
    {
        await user.EnsureIdentifiedAsync(cancellation);
        if (user.IsJoinedTo(roomId))
        {
            return false;
        }

        try
        {
            var (membership, sender) = await rooms.GetMembershipAsync(roomId, user.Id!, cancellation);
            return membership is "invite" or "knock" || (membership == "leave" && sender == user.Id);
        }
        catch (HomeserverException e) when (e.Status is StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound)
        {
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LoggedRoomJoined, LogLevel.Information, "Joined {RoomId}, which is logged")]
        public static partial void LoggedRoomJoined(ILogger logger, string roomId);

        [LoggerMessage(EventIds.LoggedRoomNotJoined, LogLevel.Debug, "Failed to join {RoomId}, which is logged: {Reason}")]
        public static partial void LoggedRoomNotJoined(ILogger logger, string roomId, string reason);
    }
}
