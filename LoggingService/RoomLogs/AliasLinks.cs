using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

/// <summary>Links the confirmed aliases to their rooms' folders.</summary>
internal sealed partial class AliasLinks(LogDirectory logs, RoomAliases aliases, ILogger<AliasLinks> logger) : IHostedService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RoomAlias, string> _linked = [];
    private readonly HashSet<RoomAlias> _failed = [];
    private volatile bool _hasFailed;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        aliases.Confirmed += Link;
        logs.Written += _ => RetryFailed();
        logs.Guard.Restored += LinkAll;
        logs.OldDaysRemoved += OnOldDaysRemoved;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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

    /// <summary>Links an alias, replacing its earlier link. A failure, such as a full disk, is logged and retried by RetryFailed.</summary>
    private void Link(RoomAlias alias, string roomId)
    {
        lock (_lock)
        {
            _linked[alias] = roomId;
            TryLink(alias);
        }
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

    private string LinkOf(RoomAlias alias) => Path.Combine(logs.Root, FolderName.ForAlias(alias.Localpart));

    private string FolderOf(string roomId) => Path.Combine(logs.Root, FolderName.ForRoom(roomId));

    private static partial class Log
    {
        [LoggerMessage(EventIds.AliasLinked, LogLevel.Information, "The log of {Alias} is in {Folder}")]
        public static partial void AliasLinked(ILogger logger, RoomAlias alias, string folder);

        [LoggerMessage(EventIds.AliasLinkFailed, LogLevel.Warning,
            "Failed to link {Alias} to its log: {Reason}. The room is logged under its id; the link is retried.")]
        public static partial void AliasLinkFailed(ILogger logger, RoomAlias alias, string reason);
    }
}
