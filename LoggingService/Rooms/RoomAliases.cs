using System.Collections.Concurrent;
using System.Threading.Channels;
using LoggingService.Homeserver;
using LoggingService.Registration;
using LoggingService.Rendering;

namespace LoggingService.Rooms;

/// <summary>
/// The aliases of logged rooms, queried from the homeserver in the background. An alias counts only once our own homeserver
/// confirms it: <c>m.room.canonical_alias</c> is a hint that any server can write.
/// </summary>
internal sealed partial class RoomAliases(
    AppServiceRegistration registration, HomeserverClient homeserver, ServiceUser user, TimeProvider time, ILogger<RoomAliases> logger)
    : BackgroundService
{
    /// <summary>By room; <c>null</c> for a former alias that is another room's now.</summary>
    private readonly ConcurrentDictionary<string, RoomAlias?> _aliases = new();
    private readonly ConcurrentDictionary<string, bool> _seenRooms = new();
    private readonly ConcurrentDictionary<RoomAlias, bool> _lookups = new();
    private readonly LogThrottle _timeoutThrottle = new(time);
    private readonly Channel<(string RoomId, RoomAlias[] Hints)> _queue =
        Channel.CreateUnbounded<(string, RoomAlias[])>(new() { SingleReader = true });

    /// <summary>Raised with the room id when the homeserver confirmed an alias or we created it, also when it was known.</summary>
    public event Action<RoomAlias, string>? Confirmed;

    public RoomAlias? GetAlias(string roomId) => _aliases.GetValueOrDefault(roomId);

    /// <summary>Whether a room has, or had, a confirmed alias.</summary>
    public bool HasOrHadAlias(string roomId) => _aliases.ContainsKey(roomId);

    /// <summary>Whether this alias is being resolved. If the homeserver queries us for it meanwhile, it does not exist.</summary>
    public bool IsLookingUp(RoomAlias alias) => _lookups.ContainsKey(alias);

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

    /// <summary>Queues the alias queries for committed events: of rooms that are new, and of those whose canonical alias changed.</summary>
    public void Enqueue(IReadOnlyList<RoomEvent> events)
    {
        foreach (var e in events)
        {
            var isCanonicalAlias = e is { Type: "m.room.canonical_alias", StateKey: "" };
            if (_seenRooms.TryAdd(e.RoomId, true) || isCanonicalAlias)
            {
                _queue.Writer.TryWrite((e.RoomId, isCanonicalAlias ? [.. GetHints(e)] : []));
            }

            // A room that we created is named after its alias.
            var name = e is { Type: "m.room.name", StateKey: "" } ? e.Content["name"u8].AsString() : null;
            if (!string.IsNullOrEmpty(name) && name != GetAlias(e.RoomId)?.Localpart)
            {
                Log.RoomNamed(logger, GetAlias(e.RoomId)?.ToString() ?? e.RoomId, SafeText.Quoted(Utf8Text.From(name)).ToString());
            }
        }
    }

    /// <summary>Records an alias that the homeserver confirmed, or that we created.</summary>
    public void Confirm(RoomAlias alias, string roomId)
    {
        foreach (var (formerRoom, _) in _aliases.Where(known => known.Value == alias && known.Key != roomId))
        {
            _aliases[formerRoom] = null;
        }

        _aliases[roomId] = alias;
        Confirmed?.Invoke(alias, roomId);
    }

    /// <summary>
    /// Queries the aliases of a room and confirms those of the namespace. False if there is none, which is not cached, since an
    /// alias can be added without an event; <c>null</c> if the regex timed out.
    /// </summary>
    public async Task<bool?> ConfirmAsync(string roomId, CancellationToken cancellation)
    {
        bool? found = false;
        foreach (var text in await homeserver.GetAliasesAsync(roomId, cancellation))
        {
            if (RoomAlias.TryParse(text, out var alias))
            {
                var matches = MatchesNamespace(alias);
                found |= matches;
                if (matches == true)
                {
                    Confirm(alias, roomId);
                }
            }
        }

        return found;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var (roomId, hints) in _queue.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await ConfirmAsync(roomId, hints, stoppingToken);
            }
            catch (HomeserverException e) when (e.IsTransient || user.Id is null)
            {
                _queue.Writer.TryWrite((roomId, hints));
                await Task.Delay(HomeserverResilience.Cooldown, time, stoppingToken);
            }
            catch (HomeserverException e)
            {
                Log.AliasQueryFailed(logger, roomId, e.Message);
            }
        }
    }

    private async Task ConfirmAsync(string roomId, RoomAlias[] hints, CancellationToken cancellation)
    {
        await user.EnsureIdentifiedAsync(cancellation);
        try
        {
            if (await ConfirmAsync(roomId, cancellation) == true)
            {
                return;
            }
        }
        catch (HomeserverException e) when (e.Status == StatusCodes.Status403Forbidden)
        {
            // We are not a member: only the hints are left, which the directory must confirm.
        }

        foreach (var hint in hints.Where(hint => MatchesNamespace(hint) == true))
        {
            _lookups[hint] = true;
            try
            {
                if (await homeserver.ResolveAliasAsync(hint, cancellation) == roomId)
                {
                    Confirm(hint, roomId);
                }
            }
            finally
            {
                _lookups.TryRemove(hint, out _);
            }
        }
    }

    private static IEnumerable<RoomAlias> GetHints(RoomEvent e)
    {
        foreach (var hint in e.Content["alt_aliases"u8].Items().Prepend(e.Content["alias"u8]))
        {
            if (RoomAlias.TryParse(hint.AsString(), out var alias))
            {
                yield return alias;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomNamed, LogLevel.Information, "Room {Room} is named {Name}")]
        public static partial void RoomNamed(ILogger logger, string room, string name);

        [LoggerMessage(EventIds.AliasQueryFailed, LogLevel.Debug, "Failed to query the aliases of {RoomId}: {Reason}")]
        public static partial void AliasQueryFailed(ILogger logger, string roomId, string reason);

        [LoggerMessage(EventIds.AliasPatternTimedOut, LogLevel.Error,
            "Failed to match {Alias} with the alias namespace: {Reason}. No room is created for it. Avoid nested repetitions "
                + "such as (a+)+ in the registration. Further occurrences are logged once a minute.")]
        public static partial void AliasPatternTimedOut(ILogger logger, RoomAlias alias, string reason);
    }
}
