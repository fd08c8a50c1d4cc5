using System.Collections.Concurrent;
using System.Threading.Channels;
using LoggingService.Events;
using LoggingService.Homeserver;
using LoggingService.Logging;
using LoggingService.Registration;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Rooms;

/// <summary>
/// What the logged rooms are called: learned from the homeserver, beside the transactions, and made links of. An alias
/// counts only when our own homeserver confirms it: <c>m.room.canonical_alias</c> is a hint that anybody on another server
/// can write.
/// </summary>
internal sealed partial class RoomAliases(
    AppServiceRegistration registration, HomeserverClient homeserver, ServiceUser user, LogDirectory logs, TimeProvider time, ILogger<RoomAliases> logger) : BackgroundService
{
    /// <summary>How long the homeserver is left alone after it couldn't be asked.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, bool> _named = new();
    private readonly ConcurrentDictionary<string, RoomAlias> _aliases = new();
    private readonly ConcurrentDictionary<string, bool> _seen = new();
    private readonly ConcurrentDictionary<RoomAlias, bool> _lookingUp = new();
    private readonly LogThrottle _undecided = new(time);
    private readonly Dictionary<RoomAlias, string> _unlinked = [];
    private readonly Channel<(string RoomId, RoomAlias[] Hints)> _toLearn = Channel.CreateUnbounded<(string, RoomAlias[])>(new() { SingleReader = true });

    /// <summary>The alias by which people know a room; <c>null</c> where none is known.</summary>
    public RoomAlias? Of(string roomId) => _aliases.TryGetValue(roomId, out var alias) ? alias : null;

    /// <summary>Whether a room is known to have, or to have had, an alias of ours.</summary>
    public bool IsNamed(string roomId) => _named.ContainsKey(roomId);

    /// <summary>Whether we are asking the homeserver for this alias, which may make it ask us: there is none then.</summary>
    public bool IsLookingUp(RoomAlias alias) => _lookingUp.ContainsKey(alias);

    /// <summary>Whether the service could make this alias: it is in the namespace, and of our own homeserver as far as that is known. Not where that can't be decided.</summary>
    public bool IsOurs(RoomAlias alias) => Decide(alias) == true;

    /// <summary><c>null</c> where the namespace's regex comes to no end.</summary>
    private bool? Decide(RoomAlias alias)
    {
        try
        {
            return user.IsOn(alias.Server) && registration.IsLoggedAlias(alias.ToString());
        }
        catch (TimeoutException e)
        {
            if (_undecided.TryAcquire())
            {
                Log.Undecided(logger, e.Message);
            }

            return null;
        }
    }

    /// <summary>Has the names of new rooms asked for, and of those that say that their name has changed; beside the transactions.</summary>
    /// <param name="written">What was committed.</param>
    public void LearnFrom(IReadOnlyList<WrittenLine> written)
    {
        // What stood in the way of a link, as a full disk, may be gone.
        lock (_unlinked)
        {
            foreach (var (alias, roomId) in _unlinked.ToList())
            {
                Link(alias, roomId);
            }
        }

        foreach (var (e, _, _) in written)
        {
            var names = e is { Type: EventTypes.RoomCanonicalAlias, StateKey: "" };
            if (_seen.TryAdd(e.RoomId, true) || names)
            {
                _toLearn.Writer.TryWrite((e.RoomId, names ? [.. Hints(e)] : []));
            }

            // A room that we made is called after its alias.
            if (e is { Type: EventTypes.RoomName, StateKey: "" } && e.Content["name"u8].AsString() is { Length: > 0 } name && name != Of(e.RoomId)?.Localpart)
            {
                Log.Called(logger, Of(e.RoomId)?.ToString() ?? e.RoomId, SafeText.Quoted(name));
            }
        }
    }

    /// <summary>An alias leads to a room: the homeserver said so, or we made it.</summary>
    public void Learn(RoomAlias alias, string roomId)
    {
        _named[roomId] = true;
        foreach (var (former, _) in _aliases.Where(known => known.Value == alias && known.Key != roomId))
        {
            _aliases.TryRemove(former, out _);
        }

        _aliases[roomId] = alias;
        lock (_unlinked)
        {
            _unlinked.Remove(alias);
            Link(alias, roomId);
        }
    }

    /// <summary>Asks the homeserver for a room's aliases, and learns those that are in the namespace. "No" is not remembered: an alias may be given to the room without a word.</summary>
    /// <returns>Whether it has one; <c>null</c> where that can't be decided.</returns>
    public async Task<bool?> LearnFromHomeserverAsync(string roomId, CancellationToken cancellation)
    {
        bool? found = false;
        foreach (var text in await homeserver.AliasesOfAsync(roomId, cancellation))
        {
            if (RoomAlias.TryParse(text, out var alias))
            {
                var isOurs = Decide(alias);
                found |= isOurs;
                if (isOurs == true)
                {
                    Learn(alias, roomId);
                }
            }
        }

        return found;
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
            catch (HomeserverException e) when (e.IsPassing || user.Id is null)
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
        await user.AskAsync(cancellation);
        try
        {
            if (await LearnFromHomeserverAsync(roomId, cancellation) == true)
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

    private void Link(RoomAlias alias, string roomId)
    {
        try
        {
            if (logs.Link(alias.Localpart, roomId))
            {
                Log.Named(logger, alias, logs.FolderOf(alias.Localpart));
            }

            _unlinked.Remove(alias);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_unlinked.TryAdd(alias, roomId))
            {
                Log.LinkFailed(logger, alias, e.Message);
            }
        }
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

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "The log of {Alias} is in {Folder}.")]
        public static partial void Named(ILogger logger, RoomAlias alias, string folder);

        [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "{Room} is called {Name}.")]
        public static partial void Called(ILogger logger, string room, string name);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The link for {Alias} could not be made: {Reason}. The room is logged all the same.")]
        public static partial void LinkFailed(ILogger logger, RoomAlias alias, string reason);

        [LoggerMessage(EventId = 3, Level = LogLevel.Debug, Message = "The aliases of {RoomId} could not be asked for: {Reason}.")]
        public static partial void NotLearned(ILogger logger, string roomId, string reason);

        [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "{Mistake} An alias that is asked for isn't made meanwhile. Write it without nested repetitions like (a+)+. (Told once a minute.)")]
        public static partial void Undecided(ILogger logger, string mistake);
    }
}
