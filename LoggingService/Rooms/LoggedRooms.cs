using System.Collections.Concurrent;
using System.Threading.Channels;
using LoggingService.Configuration;
using LoggingService.RoomLogs;
using LoggingService.Transactions;

namespace LoggingService.Rooms;

/// <summary>
/// Which rooms are logged, and what they are called. A homeserver pushes the events of a room that has an alias in the
/// registration's namespace, and of one that the service's own user is a member of or invited to (Application Service API,
/// "Registration"); only the first kind is logged.
/// </summary>
public sealed partial class LoggedRooms(
    Registration registration, Homeserver homeserver, LogDirectory logs, TimeProvider time, ILogger<LoggedRooms> logger) : BackgroundService
{
    /// <summary>How long the homeserver is left alone after it couldn't be asked.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    /// <summary>How long a transaction waits for the homeserver's word: it waits for us meanwhile, and a stop must not take longer than 10 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly ConcurrentDictionary<string, bool> _joined = new();
    private readonly ConcurrentDictionary<string, bool> _logged = new();
    private readonly ConcurrentDictionary<string, RoomAlias> _aliases = new();
    private readonly ConcurrentDictionary<string, bool> _seen = new();
    private readonly ConcurrentDictionary<RoomAlias, bool> _lookingUp = new();
    private readonly Channel<(string RoomId, RoomAlias[] Hints)> _toLearn = Channel.CreateUnbounded<(string, RoomAlias[])>(new() { SingleReader = true });
    private volatile string? _user;
    private long _askAgain;

    /// <summary>The service's own user id; <c>null</c> as long as the homeserver couldn't be asked.</summary>
    public string? User => _user;

    /// <summary>The alias by which people know a room; <c>null</c> where none is known.</summary>
    public RoomAlias? AliasOf(string roomId) => _aliases.TryGetValue(roomId, out var alias) ? alias : null;

    /// <summary>Whether we are asking the homeserver for this alias, which may make it ask us: there is none then.</summary>
    public bool IsLookingUp(RoomAlias alias) => _lookingUp.ContainsKey(alias);

    /// <summary>Whether a user id is that of the service's own user, as far as that is known.</summary>
    public bool IsUs(string? userId) =>
        _user is null ? userId?.StartsWith($"@{registration.SenderLocalpart}:", StringComparison.Ordinal) == true : userId == _user;

    /// <summary>Whether the service could make this alias: it is in the namespace, and of our own homeserver as far as that is known.</summary>
    public bool IsOurs(RoomAlias alias) =>
        registration.IsLoggedAlias(alias.ToString()) && (_user is null || alias.Server == ServerOf(_user));

    /// <summary>Asks who we are and which rooms we are in, unless that is known.</summary>
    /// <exception cref="HomeserverException">It can't be asked.</exception>
    public async Task AskWhoWeAreAsync(CancellationToken cancellation)
    {
        if (_user is not null)
        {
            return;
        }

        await _asking.WaitAsync(cancellation);
        try
        {
            if (_user is null)
            {
                var user = await homeserver.WhoAmIAsync(cancellation);
                foreach (var room in await homeserver.JoinedRoomsAsync(cancellation))
                {
                    _joined[room] = true;
                }

                _user = user;
            }
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>Keeps the events of rooms that are logged, in their order. While the homeserver can't be asked, or takes too long, all are.</summary>
    public async Task<IReadOnlyList<RoomEvent>> KeepLoggedAsync(IReadOnlyList<RoomEvent> events)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        await TryAskAsync(() => AskWhoWeAreAsync(patience.Token));
        List<RoomEvent> kept = [];
        var asked = new Dictionary<string, bool?>();
        foreach (var e in events)
        {
            if (await IsLoggedAsync(e, asked, patience.Token))
            {
                kept.Add(e);
            }
        }

        return kept;
    }

    /// <summary>Has the names of new rooms asked for, and of those that say that their name has changed; beside the transactions.</summary>
    /// <param name="written">What was committed.</param>
    public void LearnFrom(IReadOnlyList<WrittenLine> written)
    {
        foreach (var (e, _, _) in written)
        {
            var names = e is { Type: "m.room.canonical_alias", StateKey: "" };
            if (_seen.TryAdd(e.RoomId, true) || names)
            {
                _toLearn.Writer.TryWrite((e.RoomId, names ? [.. Hints(e)] : []));
            }
        }
    }

    /// <summary>An alias leads to a room: the homeserver said so, or we made it.</summary>
    public void Learn(RoomAlias alias, string roomId)
    {
        _logged[roomId] = true;
        foreach (var (former, _) in _aliases.Where(known => known.Value == alias && known.Key != roomId))
        {
            _aliases.TryRemove(former, out _);
        }

        _aliases[roomId] = alias;
        try
        {
            if (logs.Link(alias.Localpart, roomId))
            {
                Log.Named(logger, alias, roomId);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LinkFailed(logger, alias, e.Message);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var (roomId, hints) in _toLearn.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await LearnAliasesAsync(roomId, hints, stoppingToken);
            }
            catch (HomeserverException e) when (e.IsPassing || _user is null)
            {
                _toLearn.Writer.TryWrite((roomId, hints));
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (HomeserverException e)
            {
                Log.NotLearned(logger, roomId, e.Message);
            }
        }
    }

    private async Task LearnAliasesAsync(string roomId, RoomAlias[] hints, CancellationToken cancellation)
    {
        await AskWhoWeAreAsync(cancellation);
        try
        {
            if (await HasLoggedAliasAsync(roomId, cancellation))
            {
                return;
            }
        }
        catch (HomeserverException e) when (e.Status == 403)
        {
            // We are no member: what is left is what the room says of itself, which the directory must confirm.
        }

        foreach (var hint in hints.Where(IsOurs))
        {
            _lookingUp[hint] = true;
            try
            {
                if (await homeserver.ResolveAsync(hint, cancellation) == roomId)
                {
                    Learn(hint, roomId);
                }
            }
            finally
            {
                _lookingUp.TryRemove(hint, out _);
            }
        }
    }

    private async Task<bool> IsLoggedAsync(RoomEvent e, Dictionary<string, bool?> asked, CancellationToken cancellation)
    {
        if (_user is not { } user || registration.IsLoggedRoom(e.RoomId))
        {
            return true;
        }

        if (e is { Type: "m.room.create", StateKey: "" } && e.Sender == user)
        {
            _logged[e.RoomId] = true;
        }

        // An invitation of ours, and its end, is pushed because it is about us, wherever it happened.
        var isAboutUs = e.Type == "m.room.member" && e.StateKey == user;
        var isJoin = isAboutUs && e.Content["membership"u8].AsString() == "join";
        var isMember = isJoin || _joined.ContainsKey(e.RoomId);
        if (isJoin)
        {
            _joined[e.RoomId] = true;
        }
        else if (isAboutUs)
        {
            _joined.TryRemove(e.RoomId, out _);
        }

        if (_logged.ContainsKey(e.RoomId) || (isAboutUs && !isJoin && logs.HasRoom(e.RoomId)))
        {
            return true;
        }

        // Where we are no member only a matching alias can have brought it.
        if (!isMember)
        {
            return !isAboutUs;
        }

        if (!asked.TryGetValue(e.RoomId, out var hasLoggedAlias))
        {
            await TryAskAsync(async () =>
            {
                try
                {
                    hasLoggedAlias = await HasLoggedAliasAsync(e.RoomId, cancellation);
                }
                catch (HomeserverException refused) when (refused.Status == 403 && isAboutUs && !isJoin)
                {
                    // We left: it doesn't tell us any more, and our leave says as little of the room as our invitation.
                    hasLoggedAlias = false;
                }
            });
            asked[e.RoomId] = hasLoggedAlias;
        }

        return hasLoggedAlias ?? true;
    }

    /// <summary>Asks the homeserver something for a transaction, unless it couldn't be asked a moment ago.</summary>
    private async Task TryAskAsync(Func<Task> ask)
    {
        if (time.GetUtcNow().Ticks < _askAgain)
        {
            return;
        }

        try
        {
            await ask();
        }
        catch (Exception e) when (e is HomeserverException or OperationCanceledException)
        {
            // The check at start tells the admin why; here it only means that everything is logged.
            if (e is OperationCanceledException || _user is null || e is HomeserverException { IsPassing: true })
            {
                _askAgain = (time.GetUtcNow() + Pause).Ticks;
            }
        }
    }

    /// <summary>Asks the homeserver for a room's aliases, and learns those that are in the namespace. "No" is not remembered: an alias may be given to the room without a word.</summary>
    private async Task<bool> HasLoggedAliasAsync(string roomId, CancellationToken cancellation)
    {
        var found = false;
        foreach (var text in await homeserver.AliasesOfAsync(roomId, cancellation))
        {
            if (RoomAlias.TryParse(text, out var alias) && IsOurs(alias))
            {
                Learn(alias, roomId);
                found = true;
            }
        }

        return found;
    }

    private static IEnumerable<RoomAlias> Hints(RoomEvent e)
    {
        foreach (var hint in e.Content["alt_aliases"u8].Items().Prepend(e.Content["alias"u8]))
        {
            if (RoomAlias.TryParse(hint.AsString(), out var alias))
            {
                yield return alias;
            }
        }
    }

    private static string ServerOf(string userId) => userId[(userId.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Alias} is the room {RoomId}.")]
        public static partial void Named(ILogger logger, RoomAlias alias, string roomId);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The link for {Alias} could not be made: {Reason}. The room is logged all the same.")]
        public static partial void LinkFailed(ILogger logger, RoomAlias alias, string reason);

        [LoggerMessage(EventId = 3, Level = LogLevel.Debug, Message = "The aliases of {RoomId} could not be asked for: {Reason}.")]
        public static partial void NotLearned(ILogger logger, string roomId, string reason);
    }
}
