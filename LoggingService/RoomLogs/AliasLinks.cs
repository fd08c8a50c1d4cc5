using System.Threading.Channels;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

/// <summary>
/// Links the confirmed aliases to their rooms' folders. Where a room gets another alias or loses one, a note in its log comes first.
/// </summary>
internal sealed partial class AliasLinks(
    LogDirectory logs, RoomAliases aliases, RoomStates states, RoomNotes notes, ServiceUser user, ILogger<AliasLinks> logger)
    : BackgroundService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RoomAlias, string> _linked = [];
    private readonly HashSet<RoomAlias> _failed = [];
    private readonly Channel<Change> _changes = Channel.CreateUnbounded<Change>(new() { SingleReader = true });
    private volatile bool _hasFailed;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        aliases.Confirmed += Link;
        aliases.Removed += (alias, roomId) => _changes.Writer.TryWrite(new(alias, roomId, null));
        logs.Written += _ => RetryFailed();
        logs.Guard.Restored += LinkAll;
        logs.OldDaysRemoved += OnOldDaysRemoved;
        return base.StartAsync(cancellationToken);
    }

    /// <summary>
    /// Takes over the links that an earlier process created, and returns the rooms that they lead to. An alias whose name is truncated is
    /// found by the next check of its room.
    /// </summary>
    /// <param name="server">The name of our homeserver.</param>
    public IReadOnlyList<string> TakeOver(string server)
    {
        var rooms = new HashSet<string>();
        foreach (var link in new DirectoryInfo(logs.Root).EnumerateDirectories())
        {
            if (link.LinkTarget is ['!', ..] target
                && FolderName.ToLocalpart(link.Name) is { } localpart
                && RoomRecords.FindLast(Path.Combine(logs.Root, target))?.RoomId is { } roomId)
            {
                var alias = new RoomAlias(localpart, server);
                aliases.AddKnown(alias, roomId);
                rooms.Add(roomId);
                lock (_lock)
                {
                    _linked.TryAdd(alias, roomId);
                }
            }
        }

        return [.. rooms];
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in _changes.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await LogAsync(change);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The link is right without the note.
                Log.AliasNoteFailed(logger, change.Alias, e.Message);
            }

            Apply(change);
        }
    }

    private async Task LogAsync(Change change)
    {
        var (alias, former, roomId) = change;
        if (former is not null && states.Get(former) is { HasLog: true } state && !IsStopOf(former, roomId))
        {
            await notes.LogAsync(CreateNote(Note.AliasRemoved, former, alias, state, "room", roomId));
        }

        if (roomId is not null)
        {
            await notes.LogAsync(CreateNote(Note.AliasAdded, roomId, alias, states.Get(roomId), "previous_room", former));
        }
    }

    /// <summary>Whether the note that logging stopped tells that an alias is gone: only members can ask for all aliases.</summary>
    private bool IsStopOf(string former, string? roomId) =>
        roomId is null && user.IsJoinedTo(former) && !states.Get(former).IsInRoomsNamespace && aliases.GetAlias(former) is null;

    /// <summary>A poll found the cause: a decision that is repeated after a crash has the same last event.</summary>
    private static RoomEvent CreateNote(string type, string roomId, RoomAlias alias, RoomState state, string otherName, string? other) =>
        Note.Create(type, roomId, $"{alias} {other} {state.LastEventId}", content =>
        {
            content.WriteString("alias", alias.ToString());
            if (other is not null)
            {
                content.WriteString(otherName, other);
            }
        });

    private void Apply(Change change)
    {
        lock (_lock)
        {
            if (change.RoomId is null)
            {
                Unlink(change.Alias, change.Former!);
            }
            else if (_linked.GetValueOrDefault(change.Alias) == change.RoomId)
            {
                TryLink(change.Alias);
            }
        }
    }

    private void RetryFailed()
    {
        if (!_hasFailed)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var alias in _failed.Where(alias => Directory.Exists(FolderOf(_linked[alias]))).ToList())
            {
                TryLink(alias);
            }
        }
    }

    /// <summary>
    /// Links an alias, replacing its earlier link, at once unless there is something to note. A failure, such as a full disk, is logged and
    /// retried by RetryFailed.
    /// </summary>
    private void Link(RoomAlias alias, string roomId)
    {
        lock (_lock)
        {
            _linked[alias] = roomId;
            if (FindChange(alias, roomId) is { } change)
            {
                _changes.Writer.TryWrite(change);
            }
            else
            {
                TryLink(alias);
            }
        }
    }

    /// <summary>What there is to note about an alias; <c>null</c> for the first one of a room, and for one that is linked.</summary>
    private Change? FindChange(RoomAlias alias, string roomId)
    {
        var folder = FolderOf(roomId);
        var former = new FileInfo(LinkOf(alias)).LinkTarget;
        if (former == Path.GetFileName(folder))
        {
            return null;
        }

        if (former is not null)
        {
            return new(alias, RoomRecords.FindLast(Path.Combine(logs.Root, former))?.RoomId, roomId);
        }

        var hasOther = _linked.Any(other =>
            other.Value == roomId && other.Key != alias && new FileInfo(LinkOf(other.Key)).LinkTarget is not null);
        return hasOther || RoomRecords.FindAliasNote(folder)?.Type == Note.AliasRemoved ? new(alias, null, roomId) : null;
    }

    /// <summary>The links went with the folders: they are created again once the rooms are logged again.</summary>
    private void OnOldDaysRemoved()
    {
        lock (_lock)
        {
            _failed.UnionWith(_linked.Keys.Where(alias => new FileInfo(LinkOf(alias)).LinkTarget is null));
            _hasFailed = _failed.Count > 0;
            RetryFailed();
        }
    }

    private void LinkAll()
    {
        lock (_lock)
        {
            foreach (var alias in _linked.Keys)
            {
                TryLink(alias);
            }
        }
    }

    private void TryLink(RoomAlias alias)
    {
        try
        {
            var folder = FolderOf(_linked[alias]);
            Posix.CreateFolder(folder);
            if (SymbolicLink.Replace(LinkOf(alias), Path.GetFileName(folder)))
            {
                Posix.Sync(logs.Root);
                Log.AliasLinked(logger, alias, LinkOf(alias));
            }

            _failed.Remove(alias);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_failed.Add(alias))
            {
                Log.AliasLinkFailed(logger, alias, e.Message);
            }
        }

        _hasFailed = _failed.Count > 0;
    }

    /// <summary>Removes the link of an alias, unless it leads to another room by now.</summary>
    private void Unlink(RoomAlias alias, string roomId)
    {
        if (_linked.GetValueOrDefault(alias) != roomId)
        {
            return;
        }

        _linked.Remove(alias);
        _failed.Remove(alias);
        var folder = FolderOf(roomId);
        try
        {
            if (new FileInfo(LinkOf(alias)).LinkTarget == Path.GetFileName(folder))
            {
                File.Delete(LinkOf(alias));
                Posix.Sync(logs.Root);
                Log.AliasUnlinked(logger, alias, folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.AliasNotUnlinked(logger, alias, e.Message);
        }
    }

    private string LinkOf(RoomAlias alias) => Path.Combine(logs.Root, FolderName.ForAlias(alias.Localpart));

    private string FolderOf(string roomId) => Path.Combine(logs.Root, FolderName.ForRoom(roomId));

    /// <param name="Former">The room that the alias is removed from; <c>null</c> if it is new.</param>
    /// <param name="RoomId">The room that it leads to; <c>null</c> if it is gone.</param>
    private sealed record Change(RoomAlias Alias, string? Former, string? RoomId);

    private static partial class Log
    {
        [LoggerMessage(EventIds.AliasLinked, LogLevel.Information, "The log of {Alias} is in {Folder}")]
        public static partial void AliasLinked(ILogger logger, RoomAlias alias, string folder);

        [LoggerMessage(EventIds.AliasLinkFailed, LogLevel.Warning,
            "Failed to link {Alias} to its log: {Reason}. The room is logged under its id; the link is retried.")]
        public static partial void AliasLinkFailed(ILogger logger, RoomAlias alias, string reason);

        [LoggerMessage(EventIds.AliasUnlinked, LogLevel.Information, "{Alias} was removed; the log of its room is in {Folder}")]
        public static partial void AliasUnlinked(ILogger logger, RoomAlias alias, string folder);

        [LoggerMessage(EventIds.AliasNotUnlinked, LogLevel.Warning, "{Alias} was removed, but its link could not be: {Reason}")]
        public static partial void AliasNotUnlinked(ILogger logger, RoomAlias alias, string reason);

        [LoggerMessage(EventIds.AliasNoteFailed, LogLevel.Warning, "Failed to log in a room that {Alias} changed: {Reason}")]
        public static partial void AliasNoteFailed(ILogger logger, RoomAlias alias, string reason);
    }
}
