using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.Registration;

namespace LoggingService.Rooms;

/// <summary>
/// Asks the homeserver which aliases a room has. An alias counts only once our own homeserver confirms it: <c>m.room.canonical_alias</c>
/// is a hint that any server can write.
/// </summary>
internal sealed partial class AliasSearch(
    AppServiceRegistration registration, HomeserverClient homeserver, HomeserverRooms rooms, AliasLookups lookups, RoomAliases aliases,
    ServiceUser user, TimeProvider time, ILogger<AliasSearch> logger)
{
    /// <summary>How many hints are resolved for a room at a time.</summary>
    public const int MaxHints = 10;

    /// <summary>How long such an alias is resolved once a minute.</summary>
    private static readonly TimeSpan AskedLifetime = TimeSpan.FromHours(1);

    private readonly LogThrottle _timeoutThrottle = new(time);

    /// <summary>The rooms whose aliases the homeserver did not list, as for non-members.</summary>
    private readonly ConcurrentDictionary<string, bool> _unlisted = new();

    // The newest aliases that users asked for or that were removed: they may have been added to a room since.
    private readonly Lock _askedLock = new();
    private readonly List<(RoomAlias Alias, long Since)> _asked = [];

    /// <summary>The aliases that the content of a state event names: its canonical alias first.</summary>
    public static IEnumerable<RoomAlias> GetHints(RawJson content)
    {
        foreach (var hint in content["aliases"u8].Items().Concat(content["alt_aliases"u8].Items()).Prepend(content["alias"u8]))
        {
            if (RoomAlias.TryParse(hint.AsString(), out var alias))
            {
                yield return alias;
            }
        }
    }

    /// <summary>Whether the alias is in the namespace and, if known, on our homeserver; <c>null</c> if the regex timed out.</summary>
    public bool? MatchesNamespace(RoomAlias alias)
    {
        try
        {
            return user.IsOnHomeserver(alias.Server) && registration.MatchesAliasNamespace(alias.ToString());
        }
        catch (TimeoutException e)
        {
            if (_timeoutThrottle.TryAcquire())
            {
                Log.AliasPatternTimedOut(logger, alias, e.Message);
            }

            return null;
        }
    }

    /// <summary>Remembers an alias of the namespace that does not exist, and that a room may get.</summary>
    public void AddAsked(RoomAlias alias)
    {
        lock (_askedLock)
        {
            _asked.RemoveAll(asked => asked.Alias == alias);
            _asked.Insert(0, (alias, time.GetTimestamp()));
            if (_asked.Count > MaxHints)
            {
                _asked.RemoveAt(MaxHints);
            }
        }
    }

    /// <summary>Resolves the aliases that did not exist within the last hour: no event says that a room got one of them.</summary>
    /// <exception cref="HomeserverException">The homeserver cannot be queried.</exception>
    public async Task ResolveAskedAsync(CancellationToken cancellation)
    {
        List<RoomAlias> missing;
        lock (_askedLock)
        {
            missing = [.. _asked.Where(asked => time.GetElapsedTime(asked.Since) < AskedLifetime).Select(asked => asked.Alias)];
        }

        foreach (var alias in missing.Where(alias => !aliases.IsKnown(alias)))
        {
            if (await lookups.ResolveAsync(alias, cancellation) is ['!', ..] roomId)
            {
                aliases.Confirm(alias, roomId);
            }
        }
    }

    /// <summary>
    /// Asks the homeserver for the aliases of a room and confirms those of the namespace. Where it does not list them, hints and the
    /// known aliases are resolved. A known alias that is gone is removed, or confirmed for the room that it leads to.
    /// </summary>
    /// <param name="hints">Aliases that the room may have; the first <see cref="MaxHints"/> of the namespace are used.</param>
    /// <param name="isPoll">Only the known aliases are resolved where the homeserver did not list the room's aliases before.</param>
    /// <returns>False if there is no logged alias; <c>null</c> if that is not known, as for non-members.</returns>
    /// <exception cref="HomeserverException">The homeserver cannot be queried.</exception>
    public async Task<bool?> FindAsync(
        string roomId, IEnumerable<RoomAlias> hints, CancellationToken cancellation, bool isPoll = false)
    {
        if (isPoll && !user.IsJoinedTo(roomId) && _unlisted.ContainsKey(roomId))
        {
            return await ResolveAllAsync(roomId, aliases.GetAll(roomId), isKnown: false, cancellation);
        }

        IReadOnlyList<string> listed;
        try
        {
            listed = await homeserver.GetAliasesAsync(roomId, cancellation);
        }
        catch (HomeserverException e) when (e.Status is StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound)
        {
            _unlisted[roomId] = true;
            return await ResolveAsync(roomId, hints, isListMissing: e.Status == StatusCodes.Status404NotFound, cancellation);
        }

        _unlisted.TryRemove(roomId, out _);
        var found = ConfirmListed(roomId, listed);
        try
        {
            var unlisted = aliases.GetAll(roomId).Where(alias => !listed.Contains(alias.ToString()));
            await ResolveAllAsync(roomId, unlisted.Take(MaxHints), isKnown: false, cancellation);
        }
        catch (HomeserverException)
        {
            // The next check finds out where they lead.
        }

        return found;
    }

    private bool? ConfirmListed(string roomId, IReadOnlyList<string> listed)
    {
        bool? found = false;
        foreach (var text in listed)
        {
            if (RoomAlias.TryParse(text, out var alias))
            {
                var matches = MatchesNamespace(alias);
                found |= matches;
                if (matches == true)
                {
                    aliases.Confirm(alias, roomId);
                }
            }
        }

        return found;
    }

    /// <param name="isListMissing">
    /// The homeserver lists no aliases of any room: the canonical alias, which members can read, decides.
    /// </param>
    private async Task<bool?> ResolveAsync(
        string roomId, IEnumerable<RoomAlias> hints, bool isListMissing, CancellationToken cancellation)
    {
        var isKnown = false;
        if (isListMissing && user.IsJoinedTo(roomId))
        {
            (isKnown, var canonical) = await ReadCanonicalAliasAsync(roomId, cancellation);
            hints = canonical.Concat(hints);
        }

        return await ResolveAllAsync(roomId, InNamespace(aliases.GetAll(roomId).Concat(hints)), isKnown, cancellation);
    }

    /// <summary>Resolves aliases: one of the room is confirmed, and a known one that is not is removed, or another room's.</summary>
    /// <param name="isKnown">Whether a room with none of these has no alias.</param>
    private async Task<bool?> ResolveAllAsync(
        string roomId, IEnumerable<RoomAlias> candidates, bool isKnown, CancellationToken cancellation)
    {
        var resolved = await Task.WhenAll(candidates.Select(async alias =>
            (Alias: alias, RoomId: await lookups.ResolveAsync(alias, cancellation))));
        bool? found = isKnown ? false : null;
        foreach (var (alias, target) in resolved)
        {
            if (target == roomId)
            {
                aliases.Confirm(alias, roomId);
                found = true;
            }
            else if (target is ['!', ..] && aliases.GetAll(roomId).Contains(alias))
            {
                aliases.Confirm(alias, target);
            }
            else if (target is null && aliases.Remove(alias, roomId))
            {
                // Who moves an alias removes it first.
                AddAsked(alias);
            }
        }

        return found;
    }

    private async Task<(bool IsKnown, IEnumerable<RoomAlias> Aliases)> ReadCanonicalAliasAsync(
        string roomId, CancellationToken cancellation)
    {
        try
        {
            return (true, GetHints(await rooms.GetStateAsync(roomId, "m.room.canonical_alias", cancellation)));
        }
        catch (HomeserverException e) when (e is { Status: StatusCodes.Status404NotFound })
        {
            // M_NOT_FOUND: the room has none. Otherwise the homeserver, or a proxy, has no such endpoint.
            return (e.Errcode == "M_NOT_FOUND", []);
        }
        catch (HomeserverException e) when (e is { Status: StatusCodes.Status403Forbidden })
        {
            return (false, []);
        }
    }

    private List<RoomAlias> InNamespace(IEnumerable<RoomAlias> hints)
    {
        RoomAlias[] asked;
        lock (_askedLock)
        {
            asked = [.. _asked.Select(asked => asked.Alias)];
        }

        var matching = new List<RoomAlias>();
        foreach (var hint in hints.Concat(asked).Distinct())
        {
            var matches = MatchesNamespace(hint);
            if (matches == true)
            {
                matching.Add(hint);
            }

            if (matches is null || matching.Count == MaxHints)
            {
                // A thousand hints with a slow regex take a thousand timeouts.
                break;
            }
        }

        return matching;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AliasPatternTimedOut, LogLevel.Error,
            "Failed to match {Alias} with the alias namespace: {Reason}. No room is created for it. Avoid nested repetitions "
                + "such as (a+)+ in the registration. Further occurrences are logged once a minute.")]
        public static partial void AliasPatternTimedOut(ILogger logger, RoomAlias alias, string reason);
    }
}
