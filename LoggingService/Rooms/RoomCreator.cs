using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Logging;
using LoggingService.Options;

namespace LoggingService.Rooms;

/// <summary>
/// The other way: somebody asks the homeserver for an alias that doesn't exist, the homeserver asks us, and the room is
/// made: limit → createRoom without the alias → alias → canonical alias. In this order nobody finds a room that isn't open
/// yet: with <c>room_alias_name</c> those who join in that moment are refused.
/// </summary>
internal sealed partial class RoomCreator(
    RoomAliases aliases, ServiceUser user, HomeserverClient homeserver, LoggingServiceOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<RoomCreator> logger)
{
    /// <summary>The homeserver waits 60 s.</summary>
    private static readonly TimeSpan HomeserverWaits = TimeSpan.FromSeconds(55);

    private readonly ConcurrentDictionary<RoomAlias, Lazy<Task<MatrixError?>>> _inTheMaking = new();
    // A call that is still in flight when the service is taken down would hold that up for 30 s.
    private readonly CancellationToken _end = lifetime.ApplicationStopped;
    private readonly RoomsPerHour _limit = new(options.RoomsPerHour, time);
    private readonly LogThrottle _tooMany = new(time);
    private readonly LogThrottle _tooSlow = new(time);
    private readonly LogThrottle _failed = new(time);

    /// <summary>
    /// Answers 200 if the alias exists now, whoever made it, and 404 if it is none of ours or there are too many.
    /// (Application Service API, <c>GET /_matrix/app/v1/rooms/{roomAlias}</c>)
    /// </summary>
    /// <param name="text">The alias, decoded; <c>null</c> where that failed.</param>
    public async Task<IResult> EnsureExistsAsync(string? text)
    {
        if (!RoomAlias.TryParse(text, out var alias) || !aliases.IsOurs(alias) || aliases.IsLookingUp(alias))
        {
            return MatrixError.NotFound;
        }

        // Those who ask while the room is being made share what comes of it; who hangs up cancels nothing.
        var making = _inTheMaking.GetOrAdd(alias, key => new(() => MakeAsync(key)));
        try
        {
            return await making.Value.WaitAsync(HomeserverWaits, time, lifetime.ApplicationStopping) ?? MatrixError.Ok;
        }
        catch (OperationCanceledException)
        {
            return new MatrixError(503, "M_UNKNOWN", "The service stops; try again.");
        }
        catch (TimeoutException)
        {
            if (_tooSlow.TryAcquire())
            {
                Log.TooSlow(logger, alias);
            }

            return new MatrixError(504, "M_UNKNOWN", "The room is still being made; try again.");
        }
    }

    /// <returns><c>null</c> where the alias exists now.</returns>
    private async Task<MatrixError?> MakeAsync(RoomAlias alias)
    {
        try
        {
            await user.AskAsync(_end);
            if (!_limit.TryReserve(out var reserved))
            {
                if (_tooMany.TryAcquire())
                {
                    Log.TooMany(logger, alias, options.RoomsPerHour);
                }

                return MatrixError.NotFound;
            }

            string roomId;
            try
            {
                roomId = await homeserver.CreateRoomAsync(alias, user.Id!, options.Moderators, _end);
            }
            catch (HomeserverException e) when (!e.IsTimeout)
            {
                // What takes too long may be made all the same.
                _limit.GiveBack(reserved);
                throw;
            }

            if (!await homeserver.PutAliasAsync(alias, roomId, _end) && !await IsItsAliasAsync(alias, roomId))
            {
                Log.SomebodyWasFaster(logger, alias, roomId);
                return null;
            }

            Log.Made(logger, alias, roomId);
            aliases.Learn(alias, roomId);
            await PutCanonicalAliasAsync(alias, roomId);
            return null;
        }
        catch (HomeserverException e)
        {
            if (_failed.TryAcquire())
            {
                Log.Failed(logger, alias, e.Message);
            }

            return new(502, "M_UNKNOWN", "The homeserver didn't make the room.");
        }
        finally
        {
            _inTheMaking.TryRemove(alias, out _);
        }
    }

    /// <summary>Whether the alias that "exists already" is ours after all: the call was made again because its answer had got lost.</summary>
    private async Task<bool> IsItsAliasAsync(RoomAlias alias, string roomId)
    {
        try
        {
            return (await homeserver.AliasesOfAsync(roomId, _end)).Contains(alias.ToString());
        }
        catch (HomeserverException)
        {
            return false;
        }
    }

    /// <summary>The alias works without it: it is tried again later, beside.</summary>
    private async Task PutCanonicalAliasAsync(RoomAlias alias, string roomId)
    {
        try
        {
            await homeserver.PutCanonicalAliasAsync(roomId, alias, _end);
        }
        catch (HomeserverException e)
        {
            Log.NotCanonical(logger, alias, roomId, e.Message);
            _ = TryCanonicalAliasLaterAsync(alias, roomId);
        }
    }

    private async Task TryCanonicalAliasLaterAsync(RoomAlias alias, string roomId)
    {
        for (var minutes = 1; minutes <= 64; minutes *= 4)
        {
            await Task.Delay(TimeSpan.FromMinutes(minutes), time, lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await homeserver.PutCanonicalAliasAsync(roomId, alias, _end);
                return;
            }
            catch (HomeserverException e)
            {
                Log.NotCanonical(logger, alias, roomId, e.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Made the room {RoomId} for {Alias}.")]
        public static partial void Made(ILogger logger, RoomAlias alias, string roomId);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "Somebody else made {Alias} at the same moment: the room {RoomId} stays unused.")]
        public static partial void SomebodyWasFaster(ILogger logger, RoomAlias alias, string roomId);

        [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "{Alias} was not made: the limit of rooms within an hour ({RoomsPerHour}) is reached. Anybody can make the homeserver ask for rooms; if these are wanted, raise LoggingService:RoomsPerHour. (Told once a minute.)")]
        public static partial void TooMany(ILogger logger, RoomAlias alias, int roomsPerHour);

        [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "The room for {Alias} could not be made: {Reason}. It is tried again when somebody joins it. (Told once a minute.)")]
        public static partial void Failed(ILogger logger, RoomAlias alias, string reason);

        [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "{Alias} works, but could not be made the main alias of {RoomId}: {Reason}. It is tried again later.")]
        public static partial void NotCanonical(ILogger logger, RoomAlias alias, string roomId, string reason);

        [LoggerMessage(EventId = 6, Level = LogLevel.Warning, Message = "The homeserver is slow to make the room for {Alias}: whoever asked for it was told to try again. (Told once a minute.)")]
        public static partial void TooSlow(ILogger logger, RoomAlias alias);
    }

    /// <summary>How many rooms may be made within any hour.</summary>
    private sealed class RoomsPerHour(int limit, TimeProvider time)
    {
        private readonly Lock _lock = new();
        private readonly List<long> _made = [];

        public bool TryReserve(out long reserved)
        {
            // Timestamps, which go on where somebody sets the clock back.
            var now = reserved = time.GetTimestamp();
            lock (_lock)
            {
                _made.RemoveAll(made => time.GetElapsedTime(made, now) >= TimeSpan.FromHours(1));
                if (_made.Count >= limit)
                {
                    return false;
                }

                _made.Add(now);
                return true;
            }
        }

        public void GiveBack(long reserved)
        {
            lock (_lock)
            {
                _made.Remove(reserved);
            }
        }
    }
}
