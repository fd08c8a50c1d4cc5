using System.Collections.Concurrent;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Moves the aliases of an upgraded room, unless the homeserver does. An application service may remove and create any alias of its
/// namespace, without being in the room; there is no call that does both, so an alias may lead nowhere in between.
/// </summary>
internal sealed partial class AliasMoves(
    HomeserverClient homeserver, AliasLookups lookups, RoomAliases aliases, TimeProvider time, ILogger<AliasMoves> logger)
{
    /// <summary>How long the homeserver has time to move an alias itself.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<RoomAlias, string> _moving = new();

    /// <summary>The room that an alias is being moved to; <c>null</c> for nearly all: a query for it must create no room.</summary>
    public string? FindTarget(RoomAlias alias) => _moving.GetValueOrDefault(alias);

    /// <summary>Completes when an alias leads to another room than the old one.</summary>
    public async Task MoveAsync(RoomAlias alias, string oldRoom, string replacement, CancellationToken cancellation)
    {
        _moving[alias] = replacement;
        try
        {
            var delay = Grace;
            var isOurs = false;
            string? target;
            while ((target = await TryResolveAsync(alias, oldRoom, cancellation)) == oldRoom || target is null)
            {
                await Task.Delay(delay, time, cancellation);
                isOurs |= await TryMoveAsync(alias, oldRoom, replacement, cancellation);
                delay = delay * 2 > MaxDelay ? MaxDelay : delay * 2;
            }

            aliases.Confirm(alias, target);
            if (isOurs)
            {
                Log.AliasMoved(logger, alias, oldRoom, target);
            }
        }
        finally
        {
            _moving.TryRemove(alias, out _);
        }
    }

    /// <returns>The room of the alias, or <c>null</c>; the old room if the homeserver can't be asked.</returns>
    private async Task<string?> TryResolveAsync(RoomAlias alias, string oldRoom, CancellationToken cancellation)
    {
        try
        {
            return await lookups.ResolveAsync(alias, cancellation);
        }
        catch (HomeserverException)
        {
            return oldRoom;
        }
    }

    private async Task<bool> TryMoveAsync(RoomAlias alias, string oldRoom, string replacement, CancellationToken cancellation)
    {
        try
        {
            var target = await lookups.ResolveAsync(alias, cancellation);
            if (target == oldRoom)
            {
                await homeserver.DeleteAliasAsync(alias, cancellation);
            }

            return target is null || target == oldRoom ? await homeserver.PutAliasAsync(alias, replacement, cancellation) : false;
        }
        catch (HomeserverException e)
        {
            Log.AliasNotMoved(logger, alias, replacement, e.Message);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AliasMoved, LogLevel.Information, "Moved {Alias} from {RoomId} to its replacement {Replacement}")]
        public static partial void AliasMoved(ILogger logger, RoomAlias alias, string roomId, string replacement);

        [LoggerMessage(EventIds.AliasNotMoved, LogLevel.Warning, "Failed to move {Alias} to {Replacement}: {Reason}. It is retried.")]
        public static partial void AliasNotMoved(ILogger logger, RoomAlias alias, string replacement, string reason);
    }
}
