using System.Collections.Concurrent;
using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>Sends the lines of the newest days to those who have their pages open, while they have.</summary>
internal sealed partial class LiveRooms(
    VisibleRooms rooms, LiveRendering rendering, PageLinks links, PageWork work, IHostApplicationLifetime lifetime,
    ILogger<LiveRooms> logger)
    : BackgroundService
{
    /// <summary>Each has up to a megabyte of lines in memory.</summary>
    private const int MaxRooms = 64;

    /// <summary>A reader who is further behind must connect again.</summary>
    private const int MaxBehind = 500;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(20);

    /// <summary>After how many milliseconds a browser connects again.</summary>
    private static readonly byte[] Retry = "retry: 2000\n\n"u8.ToArray();

    private readonly SemaphoreSlim _isChanged = new(0, 1);
    private readonly ConcurrentDictionary<(Reader Reader, string RoomId), LiveRoom> _live = [];
    private readonly Lock _gate = new();

    /// <summary>
    /// Writes events until the reader or the process goes, or the day ends. False, without a response, if there are too many rooms or
    /// requests.
    /// </summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public async Task<bool> TryWriteAsync(HttpContext http, Reader reader, RoomVisibility room, LivePosition from)
    {
        while (Enter(reader, room) is { } live)
        {
            try
            {
                (List<byte[]> Missed, LiveFrame After)? joined;
                using (var place = await work.EnterAsync(http))
                {
                    if (!place.IsAcquired)
                    {
                        return false;
                    }

                    joined = await live.JoinAsync(from);
                }

                if (joined is ({ } missed, { } after))
                {
                    await WriteAsync(http, live, missed, after);
                    return true;
                }
            }
            finally
            {
                Leave(reader, room, live);
            }

            room = rooms.Find(reader, room.RoomId) ?? room;
        }

        return false;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        rooms.Changed += Signal;
        try
        {
            var heartbeatAt = DateTime.UtcNow + HeartbeatInterval;
            while (!stoppingToken.IsCancellationRequested)
            {
                await _isChanged.WaitAsync(RetryInterval, stoppingToken);
                var isHeartbeat = DateTime.UtcNow >= heartbeatAt;
                foreach (var (_, live) in _live)
                {
                    await UpdateAsync(live, isHeartbeat);
                }

                heartbeatAt = isHeartbeat ? DateTime.UtcNow + HeartbeatInterval : heartbeatAt;
            }
        }
        finally
        {
            rooms.Changed -= Signal;
        }
    }

    private async Task WriteAsync(HttpContext http, LiveRoom live, List<byte[]> missed, LiveFrame frame)
    {
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            foreach (var bytes in missed.Prepend(Retry))
            {
                await http.Response.Body.WriteAsync(bytes, end.Token);
            }

            while (!frame.IsLast && live.Newest - frame.Number < MaxBehind)
            {
                frame = await frame.Next.WaitAsync(end.Token);
                await http.Response.Body.WriteAsync(frame.Bytes, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader has closed the page, or the process ends.
        }
    }

    private async Task UpdateAsync(LiveRoom live, bool isHeartbeat)
    {
        try
        {
            await live.UpdateAsync(isHeartbeat);
        }
        catch (IOException)
        {
            // It was replaced. The next turn reads it, or the list of rooms reports it.
        }
#pragma warning disable CA1031 // A bug with one event.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.Bug(logger, e);
        }
    }

    private LiveRoom? Enter(Reader reader, RoomVisibility room)
    {
        lock (_gate)
        {
            if (!_live.TryGetValue((reader, room.RoomId), out var live) || live.HasEnded)
            {
                if (_live.Count >= MaxRooms)
                {
                    return null;
                }

                live = new(rooms, reader, room.RoomId, room.Days[^1], rendering, links);
                _live[(reader, room.RoomId)] = live;
            }

            live.Readers++;
            return live;
        }
    }

    private void Leave(Reader reader, RoomVisibility room, LiveRoom live)
    {
        lock (_gate)
        {
            live.Readers--;
            if (live.Readers == 0)
            {
                _live.TryRemove(new((reader, room.RoomId), live));
            }
        }
    }

    private void Signal()
    {
        try
        {
            _isChanged.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is signalled already.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LiveBug, LogLevel.Error,
            "Failed to follow a room for its page. This is a bug in LoggingService, please report it.")]
        public static partial void Bug(ILogger logger, Exception bug);
    }
}
