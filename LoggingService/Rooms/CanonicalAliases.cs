using LoggingService.Homeserver;
using LoggingService.Logging;

namespace LoggingService.Rooms;

/// <summary>Sets the canonical alias of new rooms. An alias works without it, so failures are retried in the background.</summary>
internal sealed partial class CanonicalAliases(
    HomeserverClient homeserver, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<CanonicalAliases> logger)
{
    /// <summary>Tries once, and on failure schedules the retries.</summary>
    public async Task SetAsync(RoomAlias alias, string roomId)
    {
        if (!await TrySetAsync(alias, roomId))
        {
            _ = RetryAsync(alias, roomId);
        }
    }

    private async Task<bool> TrySetAsync(RoomAlias alias, string roomId)
    {
        try
        {
            await homeserver.PutCanonicalAliasAsync(roomId, alias, lifetime.ApplicationStopped);
            return true;
        }
        catch (HomeserverException e)
        {
            Log.CanonicalAliasFailed(logger, alias, roomId, e.Message);
            return false;
        }
    }

    private async Task RetryAsync(RoomAlias alias, string roomId)
    {
        var stopping = lifetime.ApplicationStopping;
        for (var minutes = 1; minutes <= 64; minutes *= 4)
        {
            await Task.Delay(TimeSpan.FromMinutes(minutes), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested || await TrySetAsync(alias, roomId))
            {
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = EventIds.CanonicalAliasFailed, Level = LogLevel.Warning,
            Message = "Failed to set {Alias} as the canonical alias of {RoomId}: {Reason}. It is retried; the alias works without it.")]
        public static partial void CanonicalAliasFailed(ILogger logger, RoomAlias alias, string roomId, string reason);
    }
}
