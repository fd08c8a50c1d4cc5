using LoggingService.Homeserver;
using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

/// <summary>Links the confirmed aliases to their rooms' folders, and passes logged events on to those who look for aliases.</summary>
internal sealed partial class AliasLinks(LogDirectory logs, RoomAliases aliases, ILogger<AliasLinks> logger) : IHostedService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RoomAlias, string> _linked = [];
    private readonly Dictionary<RoomAlias, string> _failed = [];
    private volatile bool _hasFailed;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        aliases.Confirmed += Link;
        logs.Written += OnWritten;
        logs.Restored += LinkAll;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        if (_hasFailed)
        {
            RetryFailed();
        }

        // They are of one room, and only state concerns aliases.
        for (var i = 0; i < lines.Count; i++)
        {
            if (i == 0 || lines[i].Event.StateKey is not null)
            {
                aliases.Enqueue([lines[i].Event]);
            }
        }
    }

    private void RetryFailed()
    {
        lock (_lock)
        {
            foreach (var (alias, roomId) in _failed.ToList())
            {
                TryLink(alias, roomId);
            }
        }
    }

    /// <summary>Links an alias, replacing its earlier link. A failure, such as a full disk, is logged and retried by RetryFailed.</summary>
    private void Link(RoomAlias alias, string roomId)
    {
        lock (_lock)
        {
            _linked[alias] = roomId;
            _failed.Remove(alias);
            TryLink(alias, roomId);
        }
    }

    private void LinkAll()
    {
        lock (_lock)
        {
            foreach (var (alias, roomId) in _linked)
            {
                TryLink(alias, roomId);
            }
        }
    }

    private void TryLink(RoomAlias alias, string roomId)
    {
        try
        {
            if (logs.Link(alias.Localpart, roomId))
            {
                Log.AliasLinked(logger, alias, logs.FolderOf(alias.Localpart));
            }

            _failed.Remove(alias);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_failed.TryAdd(alias, roomId))
            {
                Log.AliasLinkFailed(logger, alias, e.Message);
            }
        }

        _hasFailed = _failed.Count > 0;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AliasLinked, LogLevel.Information, "The log of {Alias} is in {Folder}")]
        public static partial void AliasLinked(ILogger logger, RoomAlias alias, string folder);

        [LoggerMessage(EventIds.AliasLinkFailed, LogLevel.Warning,
            "Failed to link {Alias} to its log: {Reason}. The room is logged under its id; the link is retried.")]
        public static partial void AliasLinkFailed(ILogger logger, RoomAlias alias, string reason);
    }
}
