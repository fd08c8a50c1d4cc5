using System.Collections.Concurrent;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Follows a room to the room that replaces it (Client-Server API, "Room Upgrades"): joins the replacement, verifies that it names the old
/// room as its predecessor, moves the aliases that the homeserver has not moved, and logs a note in both rooms.
/// </summary>
internal sealed partial class RoomUpgrades(
    ServiceUser user, HomeserverRooms rooms, AliasMoves moves, RoomAliases aliases, RoomStates states, RoomNotes notes,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<RoomUpgrades> logger)
{
    /// <summary>Before each attempt to join. The refusal of the one before the last two is logged in the room.</summary>
    private static readonly TimeSpan[] Delays =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
    ];

    private const int AttemptsUntilNote = 4;
    private const string NotPredecessor = "This room does not replace the room that led here: it does not name it as its predecessor.";

    private readonly ConcurrentDictionary<(string Room, string Replacement), bool> _followed = new();
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <summary>Receives the old room and its replacement once the replacement is verified and the aliases lead to it.</summary>
    public Action<string, string> Link { private get; set; } = static (_, _) => { };

    /// <summary>Follows an <c>m.room.tombstone</c> event in the background, once since the start.</summary>
    public void Follow(RoomEvent tombstone)
    {
        var replacement = tombstone.Content["replacement_room"u8].AsString();
        if (replacement is ['!', ..] && replacement != tombstone.RoomId && _followed.TryAdd((tombstone.RoomId, replacement), true))
        {
            // As they are before the homeserver moves them.
            var known = aliases.GetAll(tombstone.RoomId);
            aliases.Keep(known);
            var upgrade = new Upgrade(tombstone.RoomId, replacement, tombstone.EventId, ServersOf(tombstone), known);
            _ = Task.Run(() => FollowAsync(upgrade, lifetime.ApplicationStopping));
        }
    }

    /// <summary>
    /// Follows an alias that was moved, in the background: where our user is no member, the homeserver pushes the tombstone only if it does
    /// so before it moves the aliases. Without a tombstone, nothing is noted unless the new room names the old one as its predecessor.
    /// </summary>
    public void FollowAlias(string oldRoom, string newRoom)
    {
        if (!user.IsJoinedTo(oldRoom) && states.Get(oldRoom).HasLog && _followed.TryAdd((oldRoom, newRoom), true))
        {
            var upgrade = new Upgrade(oldRoom, newRoom, null, [], []);
            _ = Task.Run(() => FollowAsync(upgrade, lifetime.ApplicationStopping));
        }
    }

    private async Task FollowAsync(Upgrade upgrade, CancellationToken cancellation)
    {
        try
        {
            if (!await EnterAsync(upgrade, cancellation))
            {
                if (upgrade.TombstoneId is null)
                {
                    _followed.TryRemove((upgrade.RoomId, upgrade.Replacement), out _);
                }

                return;
            }

            await LogAsync(Note.RoomUpgraded, upgrade.RoomId, upgrade, "replacement_room", upgrade.Replacement);
            foreach (var alias in upgrade.Aliases)
            {
                await moves.MoveAsync(alias, upgrade.RoomId, upgrade.Replacement, cancellation);
            }

            if (states.Get(upgrade.Replacement).IsLogged)
            {
                await LogAsync(Note.UpgradedFrom, upgrade.Replacement, upgrade, "predecessor", upgrade.RoomId);
            }

            Link(upgrade.RoomId, upgrade.Replacement);
            Log.UpgradeFollowed(logger, upgrade.RoomId, upgrade.Replacement);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // The service stops, or the journal can't be written: the next start follows it.
        }
        finally
        {
            aliases.Release(upgrade.Aliases);
        }
    }

    /// <summary>Joins the replacement and verifies it; false if it can't be joined, or is not the replacement.</summary>
    private async Task<bool> EnterAsync(Upgrade upgrade, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            await Task.Delay(Delays[attempt - 1], time, cancellation);
            try
            {
                return await TryEnterAsync(upgrade, cancellation);
            }
            catch (HomeserverException e) when (e.IsTransient)
            {
                await Task.Delay(HomeserverResilience.Cooldown, time, cancellation);
                attempt--;
            }
            catch (HomeserverException) when (upgrade.TombstoneId is null)
            {
                return false;
            }
            catch (HomeserverException e)
            {
                if (attempt == AttemptsUntilNote)
                {
                    Log.ReplacementNotJoined(logger, upgrade.Replacement, upgrade.RoomId, e.Message);
                    await LogAsync(Note.UpgradeFailed, upgrade.RoomId, upgrade, "replacement_room", upgrade.Replacement);
                }

                if (attempt == Delays.Length)
                {
                    return false;
                }
            }
        }
    }

    private async Task<bool> TryEnterAsync(Upgrade upgrade, CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            if (!user.IsJoinedTo(upgrade.Replacement) && !upgrade.HasJoined)
            {
                await rooms.JoinAsync(upgrade.Replacement, upgrade.Servers, cancellation);
                upgrade.HasJoined = true;
            }

            var create = await rooms.GetStateAsync(upgrade.Replacement, "m.room.create", cancellation);
            if (create["predecessor"u8]["room_id"u8].AsString() == upgrade.RoomId)
            {
                return true;
            }

            if (upgrade.TombstoneId is not null)
            {
                Log.ReplacementRefused(logger, upgrade.Replacement, upgrade.RoomId);
                await LogAsync(Note.UpgradeRefused, upgrade.RoomId, upgrade, "replacement_room", upgrade.Replacement);
            }

            if (upgrade.HasJoined)
            {
                await rooms.LeaveAsync(upgrade.Replacement, cancellation, NotPredecessor);
            }

            return false;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private Task LogAsync(string type, string roomId, Upgrade upgrade, string key, string otherRoom) => notes.LogAsync(
        Note.Create(type, roomId, $"{upgrade.TombstoneId} {upgrade.Replacement}", content => content.WriteString(key, otherRoom)));

    /// <summary>The servers that may be in the replacement: that of the tombstone's sender, and those that the room ids name.</summary>
    private static string[] ServersOf(RoomEvent tombstone) =>
    [
        .. ((string?[])[tombstone.Sender, tombstone.Content["replacement_room"u8].AsString()])
            .OfType<string>()
            .Where(id => id.Contains(':', StringComparison.Ordinal))
            .Select(ServiceUser.ServerOf)
            .Distinct(),
    ];

    /// <param name="TombstoneId"><c>null</c> if an alias was moved and no tombstone arrived.</param>
    /// <param name="Aliases">The aliases to move.</param>
    private sealed record Upgrade(
        string RoomId, string Replacement, string? TombstoneId, string[] Servers, IReadOnlyList<RoomAlias> Aliases)
    {
        public bool HasJoined { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.UpgradeFollowed, LogLevel.Information, "Room {RoomId} was upgraded to {Replacement}, which is followed")]
        public static partial void UpgradeFollowed(ILogger logger, string roomId, string replacement);

        [LoggerMessage(EventIds.ReplacementNotJoined, LogLevel.Warning,
            "Failed to join {Replacement}, the replacement of {RoomId}: {Reason}. It is logged if an alias leads to it.")]
        public static partial void ReplacementNotJoined(ILogger logger, string replacement, string roomId, string reason);

        [LoggerMessage(EventIds.ReplacementRefused, LogLevel.Warning,
            "{Replacement} is not the replacement of {RoomId}: it does not name that room as its predecessor")]
        public static partial void ReplacementRefused(ILogger logger, string replacement, string roomId);
    }
}
