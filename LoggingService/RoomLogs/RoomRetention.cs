using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Removes days that rooms want to be removed (<c>HonourRoomRetention</c>): those older than the <c>max_lifetime</c> of
/// <c>m.room.retention</c>. (MSC1763.)
/// </summary>
internal sealed partial class RoomRetention
{
    private const long Day = 86_400_000;
    private const int MaxDays = 36_500;
    private readonly LogDirectory _logs;
    private readonly RoomFiles _files;
    private readonly LoggingServiceOptions _options;
    private readonly ILogger<RoomRetention> _logger;
    private readonly RoomFileUpdates _updates;

    public RoomRetention(
        LogDirectory logs, RoomFiles files, RoomFileUpdates updates, LoggingServiceOptions options, ILogger<RoomRetention> logger)
    {
        (_logs, _files, _updates, _options, _logger) = (logs, files, updates, options, logger);

        // Also while the setting is off: the day with the event may be gone when it is switched on.
        logs.Written += Track;
    }

    /// <summary>The days that a room's log is kept, at least the current one; <c>null</c> for all.</summary>
    /// <param name="maxLifetime">As in <see cref="RoomFile"/>.</param>
    public static int? DaysKept(long maxLifetime, LoggingServiceOptions options)
    {
        if (maxLifetime <= 0)
        {
            return options.RetainDays;
        }

        var own = Math.Max((int)Math.Min(((maxLifetime - 1) / Day) + 1, MaxDays), options.RetainDaysMin);
        return Math.Min(own, options.RetainDays ?? own);
    }

    /// <summary>The days that a room's log is kept by the settings in effect; <c>null</c> for all.</summary>
    public int? FindDaysKept(string roomId) =>
        _options.HonourRoomRetention == "on" ? DaysKept(_files.Find(roomId)?.MaxLifetime ?? 0, _options) : _options.RetainDays;

    /// <summary>The retention that the records of a room say; slow for a room without one.</summary>
    public static long Find(string folder)
    {
        var state = RoomRecords.FindState(folder, "m.room.retention"u8);
        return state is not null && LifetimeOf(state) is > 0 and var lifetime ? lifetime
            : RoomRecords.FindState(folder, "org.matrix.msc1763.retention"u8) is { } unstable ? LifetimeOf(unstable)
            : 0;
    }

    /// <summary>Removes the days of all rooms that have a retention of their own.</summary>
    /// <exception cref="IOException">A file can't be removed.</exception>
    public async Task RemoveOldDaysAsync(DateOnly today)
    {
        foreach (var folder in new DirectoryInfo(_logs.Root).EnumerateDirectories("!*").Where(folder => folder.LinkTarget is null).ToList())
        {
            var lifetime = await Task.Run(() => TryFind(folder));
            if (lifetime > 0 && DaysKept(lifetime, _options) is { } days)
            {
                var keepFrom = today.AddDays(-days);
                if (DayFileName.In(folder.FullName).Any(file => !file.IsIds && file.Day < keepFrom))
                {
                    await _logs.RemoveDaysBeforeAsync(keepFrom, $"the retention of {folder.Name}", folder.Name);
                }
            }
        }
    }

    private static long LifetimeOf(RoomEvent state) => Math.Max(state.Content["max_lifetime"u8].AsInteger() ?? 0, 0);

    /// <summary>The retention of a room; 0 also if it can't be read, which must not keep the days of the others.</summary>
    private long TryFind(DirectoryInfo folder)
    {
        try
        {
            if (_files.GetByFolder(folder.Name).MaxLifetime is { } known)
            {
                return known;
            }

            var lifetime = Find(folder.FullName);
            // It may have been set meanwhile.
            _files.UpdateByFolder(folder.Name, file => file with { MaxLifetime = file.MaxLifetime ?? lifetime });
            return _files.GetByFolder(folder.Name).MaxLifetime ?? lifetime;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotRead(_logger, folder.Name, e.Message);
            return 0;
        }
    }

    private void Track(IReadOnlyList<LoggedLine> lines)
    {
        foreach (var (e, _) in lines)
        {
            if (e is { IsNote: false, StateKeyText.Length: 0, Type: "m.room.retention" or "org.matrix.msc1763.retention" })
            {
                var state = e.Copy();
                _updates.Add(e.RoomId, file => With(file, state));
            }
        }
    }

    /// <summary>The file with what an event says; with what it had, if that is newer.</summary>
    private static RoomFile With(RoomFile file, RoomEvent e)
    {
        // Of what was fetched it is not known whether it is newer than a retention whose time is not known.
        var isOlder = e.FetchedTs is not null
            && (file.MaxLifetimeTs is { } known ? known > e.OriginServerTs : file.MaxLifetime > 0);
        return isOlder || (file.MaxLifetime == LifetimeOf(e) && file.MaxLifetimeTs == e.OriginServerTs)
            ? file
            : file with { MaxLifetime = LifetimeOf(e), MaxLifetimeTs = e.OriginServerTs };
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomRetentionNotRead, LogLevel.Warning,
            "Failed to read or write room.json of {Folder}: {Reason}. The room's own retention removes nothing meanwhile.")]
        public static partial void NotRead(ILogger logger, string folder, string reason);
    }
}
