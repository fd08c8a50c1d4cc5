using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>Sets the canonical alias of a room that the service created.</summary>
internal sealed partial class CanonicalAlias(
    HomeserverRooms rooms, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<CanonicalAlias> logger)
{
    /// <summary>Sets it; after a failure it is retried in the background, since the alias works without it.</summary>
    public async Task SetAsync(string roomId, RoomAlias alias, CancellationToken cancellation)
    {
        if (!await TrySetAsync(roomId, alias, cancellation))
        {
            _ = RetryAsync(roomId, alias, cancellation);
        }
    }

    private async Task<bool> TrySetAsync(string roomId, RoomAlias alias, CancellationToken cancellation)
    {
        try
        {
            await rooms.PutCanonicalAliasAsync(roomId, alias, cancellation);
            return true;
        }
        catch (HomeserverException e)
        {
            Log.CanonicalAliasFailed(logger, alias, roomId, e.Message);
            return false;
        }
    }

    private async Task RetryAsync(string roomId, RoomAlias alias, CancellationToken cancellation)
    {
        var stopping = lifetime.ApplicationStopping;
        for (var minutes = 1; minutes <= 64; minutes *= 4)
        {
            await Task.Delay(TimeSpan.FromMinutes(minutes), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested || await TrySetAsync(roomId, alias, cancellation))
            {
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.CanonicalAliasFailed, LogLevel.Warning,
            "Failed to set {Alias} as the canonical alias of {RoomId}: {Reason}. The alias works without it; it is retried.")]
        public static partial void CanonicalAliasFailed(ILogger logger, RoomAlias alias, string roomId, string reason);
    }
}
