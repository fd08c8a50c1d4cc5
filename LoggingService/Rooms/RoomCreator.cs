using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Metrics;
using LoggingService.Rendering;

namespace LoggingService.Rooms;

/// <summary>
/// Creates the room of an alias that the homeserver queries: limit → createRoom without the alias → alias → canonical
/// alias. With <c>room_alias_name</c> the alias would exist before the room is public, and joins in between would fail. A room
/// whose alias fails waits for the next query of the alias; after an hour without it, our user leaves the room.
/// </summary>
internal sealed partial class RoomCreator(
    RoomAliases aliases, AliasSearch search, AliasLookups lookups, AliasMoves moves, CanonicalAlias canonicalAlias, PendingRooms pending,
    ServiceUser user, HomeserverClient homeserver, HomeserverRooms rooms, LoggingServiceOptions options,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<RoomCreator> logger)
{
    /// <summary>A homeserver waits 60 s for the response.</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(55);

    /// <summary>How long a room waits for its alias: as long as it counts in the <see cref="CreationLimit"/>.</summary>
    private static readonly TimeSpan MaxPendingTime = TimeSpan.FromHours(1);

    private static readonly MatrixError NotCreated = new(502, "M_UNKNOWN", "The homeserver did not create the room.");

    private readonly ConcurrentDictionary<RoomAlias, Lazy<Task<MatrixError?>>> _inFlight = new();

    // ApplicationStopping would abandon creations; without any token a pending call would delay the exit.
    private readonly CancellationToken _stopped = lifetime.ApplicationStopped;
    private readonly CreationLimit _limit = new(options, time);
    private readonly LogThrottle _limitThrottle = new(time);
    private readonly LogThrottle _timeoutThrottle = new(time);
    private readonly LogThrottle _failureThrottle = new(time);
    private readonly LogThrottle _refusalThrottle = new(time);

    /// <summary>
    /// Responds 200 if the alias exists now, regardless of who created it, and 404 if it is not in the namespace, not UTF-8
    /// (<c>null</c>), or the limit is reached (Application Service API, <c>GET /_matrix/app/v1/rooms/{roomAlias}</c>).
    /// </summary>
    public async Task<IResult> EnsureExistsAsync(string? text)
    {
        if (!RoomAlias.TryParse(text, out var alias)
            || search.MatchesNamespace(alias) != true
            || !await lookups.IsUsersQueryAsync(alias))
        {
            return MatrixResults.NotFound;
        }

        if (!alias.CanExist)
        {
            ServiceMetrics.RecordRoomRefused("alias");
            if (_refusalThrottle.TryAcquire())
            {
                Log.AliasRefused(logger, alias);
            }

            return MatrixResults.NotFound;
        }

        search.AddAsked(alias);

        // Concurrent queries for one alias share one creation; a disconnecting client does not cancel it.
        var creation = _inFlight.GetOrAdd(alias, key => new(() => CreateAsync(key)));
        try
        {
            return await creation.Value.WaitAsync(ResponseTimeout, time, lifetime.ApplicationStopping) ?? MatrixResults.Ok;
        }
        catch (OperationCanceledException)
        {
            return new MatrixError(503, "M_UNKNOWN", "The service is stopping; retry.");
        }
        catch (TimeoutException)
        {
            if (_timeoutThrottle.TryAcquire())
            {
                Log.RoomCreationTimedOut(logger, alias);
            }

            return new MatrixError(504, "M_UNKNOWN", "The room is still being created; retry.");
        }
    }

    /// <returns><c>null</c> if the alias exists now.</returns>
    private async Task<MatrixError?> CreateAsync(RoomAlias alias)
    {
        try
        {
            await user.EnsureIdentifiedAsync(_stopped);
            if (moves.FindTarget(alias) is { } target)
            {
                await homeserver.PutAliasAsync(alias, target, _stopped);
                return null;
            }

            var room = pending.Find(alias);
            if (room is null)
            {
                if (!_limit.TryReserve(out var reservation))
                {
                    ServiceMetrics.RecordRoomRefused("limit");
                    if (_limitThrottle.TryAcquire())
                    {
                        Log.RoomLimitReached(logger, options.RoomsPerHour, alias);
                    }

                    return MatrixResults.NotFound;
                }

                room = new(await CreateRoomAsync(alias, reservation), reservation);
                pending.Add(alias, room);
                _ = GiveUpLaterAsync(alias, room);
            }

            // If this throws, the room stays pending.
            if (!await homeserver.PutAliasAsync(alias, room.RoomId, _stopped) && !await HasAliasAsync(room.RoomId, alias))
            {
                Log.AliasAlreadyTaken(logger, alias, room.RoomId);
                await GiveUpAsync(alias, room);
                return null;
            }

            await CompleteAsync(alias, room);
            return null;
        }
        catch (HomeserverException e)
        {
            ServiceMetrics.RecordRoomRefused("homeserver");
            if (_failureThrottle.TryAcquire())
            {
                Log.RoomCreationFailed(logger, alias, e.Message);
            }

            return NotCreated;
        }
        finally
        {
            _inFlight.TryRemove(alias, out _);
        }
    }

    private async Task<string> CreateRoomAsync(RoomAlias alias, long reservation)
    {
        try
        {
            var name = NoticeText.NameRoom(SafeText.Escape(alias.Localpart));
            var room = new NewRoom(name, NoticeText.Create(options, user.Id!), options.HistoryVisibility);
            return await rooms.CreateRoomAsync(room, user.Id!, options.Moderators, _stopped);
        }
        catch (HomeserverException e) when (!e.IsTimeout)
        {
            // After a timeout the room may exist: it keeps counting.
            _limit.Release(reservation);
            throw;
        }
    }

    private async Task CompleteAsync(RoomAlias alias, PendingRoom room)
    {
        Log.RoomCreated(logger, room.RoomId, alias);
        ServiceMetrics.RecordRoomCreated();
        aliases.Confirm(alias, room.RoomId);
        pending.Remove(alias);
        await canonicalAlias.SetAsync(room.RoomId, alias, _stopped);
    }

    /// <summary>Gives up a room that has not got its alias within an hour.</summary>
    private async Task GiveUpLaterAsync(RoomAlias alias, PendingRoom room)
    {
        var stopping = lifetime.ApplicationStopping;
        do
        {
            await Task.Delay(MaxPendingTime, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!stopping.IsCancellationRequested && pending.Find(alias) == room && !await TryGiveUpAsync(alias, room));
    }

    /// <returns>False if the alias is just queried, or the homeserver does not tell whose it is.</returns>
    private async Task<bool> TryGiveUpAsync(RoomAlias alias, PendingRoom room)
    {
        // A query meanwhile is refused: its PUT would give the alias to a room that is left.
        if (!_inFlight.TryAdd(alias, new(() => Task.FromResult<MatrixError?>(NotCreated))))
        {
            return false;
        }

        try
        {
            if (await HasAliasAsync(room.RoomId, alias))
            {
                // The response to the last attempt was lost.
                await CompleteAsync(alias, room);
            }
            else
            {
                await GiveUpAsync(alias, room);
            }

            return true;
        }
        catch (Exception e) when (e is HomeserverException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            _inFlight.TryRemove(alias, out _);
        }
    }

    /// <summary>Leaves a room that will not get its alias. Without members it does not count in the limit.</summary>
    private async Task GiveUpAsync(RoomAlias alias, PendingRoom room)
    {
        pending.Remove(alias);
        try
        {
            await rooms.LeaveAsync(room.RoomId, _stopped);
            _limit.Release(room.Reservation);
        }
        catch (HomeserverException e)
        {
            Log.RoomNotLeft(logger, room.RoomId, e.Message);
        }
    }

    /// <summary>Whether an alias that "already exists" is this room's: the response to an earlier attempt was lost.</summary>
    /// <exception cref="HomeserverException">The homeserver does not tell.</exception>
    private async Task<bool> HasAliasAsync(string roomId, RoomAlias alias)
    {
        try
        {
            return (await homeserver.GetAliasesAsync(roomId, _stopped)).Contains(alias.ToString());
        }
        catch (HomeserverException e) when (e.Status is StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound)
        {
            return await lookups.ResolveAsync(alias, _stopped) == roomId;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomCreated, LogLevel.Information, "Created room {RoomId} for {Alias}")]
        public static partial void RoomCreated(ILogger logger, string roomId, RoomAlias alias);

        [LoggerMessage(EventIds.RoomCreationFailed, LogLevel.Error,
            "Failed to create the room for {Alias}: {Reason}. The next join retries it. Further occurrences are logged once a minute.")]
        public static partial void RoomCreationFailed(ILogger logger, RoomAlias alias, string reason);

        [LoggerMessage(EventIds.RoomCreationTimedOut, LogLevel.Warning,
            "The homeserver is slow to create the room for {Alias}; responded 504. The creation continues; the next join waits for it. "
                + "Further occurrences are logged once a minute.")]
        public static partial void RoomCreationTimedOut(ILogger logger, RoomAlias alias);

        [LoggerMessage(EventIds.RoomLimitReached, LogLevel.Warning,
            "Room creation limit reached ({RoomsPerHour}/hour); refusing {Alias}. Any user can cause these queries; "
                + "if the rooms are wanted, raise LoggingService:RoomsPerHour. Further occurrences are logged once a minute.")]
        public static partial void RoomLimitReached(ILogger logger, int roomsPerHour, RoomAlias alias);

        [LoggerMessage(EventIds.AliasAlreadyTaken, LogLevel.Warning,
            "{Alias} was taken by another room during the creation of {RoomId}, which is given up")]
        public static partial void AliasAlreadyTaken(ILogger logger, RoomAlias alias, string roomId);

        [LoggerMessage(EventIds.AliasRefused, LogLevel.Information,
            "Refused {Alias}: homeservers accept no white space and no more than 255 bytes. Further occurrences are logged once a minute.")]
        public static partial void AliasRefused(ILogger logger, RoomAlias alias);

        [LoggerMessage(EventIds.RoomNotLeft, LogLevel.Warning, "Failed to leave {RoomId}, which is unused: {Reason}")]
        public static partial void RoomNotLeft(ILogger logger, string roomId, string reason);
    }
}
