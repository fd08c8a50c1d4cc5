using System.Collections.Concurrent;
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

    /// <summary>By room: the event whose retention could not be written as yet.</summary>
    private readonly ConcurrentDictionary<string, RoomEvent> _notKept = new();

    public RoomRetention(LogDirectory logs, RoomFiles files, LoggingServiceOptions options, ILogger<RoomRetention> logger)
    {
        (_logs, _files, _options, _logger) = (logs, files, options, logger);

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

    /// <summary>Writes what could not be written when it was logged.</summary>
    public void RetryKeeping()
    {
        foreach (var (roomId, e) in _notKept)
        {
            if (TryKeep(e, isRetry: true))
            {
                _notKept.TryRemove(new(roomId, e));
            }
        }
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
            Log.NotKept(_logger, folder.Name, e.Message);
            return 0;
        }
    }

    private void Track(IReadOnlyList<LoggedLine> lines)
    {
        foreach (var (e, _) in lines)
        {
            if (e is { IsNote: false, StateKeyText.Length: 0, Type: "m.room.retention" or "org.matrix.msc1763.retention" })
            {
                _notKept.TryRemove(e.RoomId, out _);
                if (!TryKeep(e, isRetry: false))
                {
                    _notKept[e.RoomId] = e.Copy();
                }
            }
        }
    }

    /// <param name="isRetry">It may be in memory only.</param>
    private bool TryKeep(RoomEvent e, bool isRetry)
    {
        try
        {
            var known = _files.Get(e.RoomId);
            if ((isRetry || known.MaxLifetime != LifetimeOf(e)) && !(e.FetchedTs is not null && known.MaxLifetimeTs > e.OriginServerTs))
            {
                _files.Update(e.RoomId, file => file with { MaxLifetime = LifetimeOf(e), MaxLifetimeTs = e.OriginServerTs });
            }

            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.NotKept(_logger, e.RoomId, failure.Message);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomPropertiesNotKept, LogLevel.Warning,
            "Failed to read or write room.json of {RoomId}: {Reason}. Its retention is written when old days are removed next.")]
        public static partial void NotKept(ILogger logger, string roomId, string reason);
    }
}
