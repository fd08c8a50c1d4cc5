using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.RoomLogs;

namespace LoggingService.Transactions;

/// <summary>
/// Delays, then refuses transactions while the backlog is large or old, or the disk is almost full. The homeserver keeps what is
/// refused and retries with growing delays, up to 512 s; a ping makes it retry at once.
/// </summary>
internal sealed partial class Admission(
    Func<Backlog> getBacklog, RequestBodyLimit bodies, LoggingServiceOptions options, HomeserverClient homeserver,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Admission> logger)
{
    /// <summary>The journal, the record and the text each take about the size of a transaction.</summary>
    private const long CopiesOnDisk = 3;

    private const int MaxPings = 20;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DiskPollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(3);

    private static readonly MatrixError Busy = new(503, "M_LIMIT_EXCEEDED", "The backlog is too large or the disk is almost full; retry.");
    private static readonly MatrixError Stopping = new(503, "M_UNKNOWN", "The service is stopping; retry.");

    private readonly Lock _lock = new();
    private readonly LogThrottle _throttle = new(time);
    private readonly string[] _folders = [options.Logs, Path.Combine(options.Logs, ".journal")];
    private FreeSpace _free;
    private long? _freeReadAt;

    /// <summary>Completes when admission opens; <c>null</c> while it is open.</summary>
    private TaskCompletionSource? _opening;
    private bool _hasRefused;

    /// <summary>The bounds; other values are for tests.</summary>
    public long MaxBacklogBytes { get; set; } = 256 << 20;

    public TimeSpan MaxOldestAge { get; set; } = TimeSpan.FromSeconds(30);

    public long MinFreeBytes { private get; set; } = 64 << 20;

    public long MinFreeInodes { get; set; } = 1000;

    /// <summary>A homeserver waits 60 s for the response.</summary>
    public TimeSpan MaxWait { private get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What is acknowledged and not yet in the rooms' files.</summary>
    public Backlog Backlog => getBacklog();

    /// <summary>What the disk has left, at most a second old, and the bytes below which transactions wait.</summary>
    public (FreeSpace Free, long RequiredBytes) Space
    {
        get
        {
            lock (_lock)
            {
                ReadFreeSpace();
                return (_free, GetRequiredBytes(getBacklog()));
            }
        }
    }

    /// <summary>Whether transactions are read at once.</summary>
    public bool IsOpen => GetOpening() is null;

    /// <summary>Completes once admission is open, however long it takes.</summary>
    /// <exception cref="OperationCanceledException">The service is stopping.</exception>
    public Task WhenOpenAsync(CancellationToken cancellation) => (GetOpening() ?? Task.CompletedTask).WaitAsync(cancellation);

    /// <summary>Returns once a transaction may be read: at once while admission is open.</summary>
    /// <exception cref="MatrixException">503: admission did not open in time, or the service is stopping.</exception>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        if (GetOpening() is not { } opening)
        {
            return;
        }

        try
        {
            await opening.WaitAsync(MaxWait, time, cancellation);
        }
        catch (OperationCanceledException e) when (opening.IsCanceled)
        {
            throw new MatrixException(Stopping, e);
        }
        catch (TimeoutException e)
        {
            lock (_lock)
            {
                if (!opening.IsCompletedSuccessfully)
                {
                    _hasRefused = true;
                    throw new MatrixException(Busy, e);
                }
            }
        }
    }

    private Task? GetOpening()
    {
        lock (_lock)
        {
            if (_opening is null && FindReason() is { } reason)
            {
                _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
                var isLogged = _throttle.TryAcquire();
                if (isLogged)
                {
                    var backlog = getBacklog();
                    ReadFreeSpace();
                    Log.Closed(logger, reason, backlog.Bytes, backlog.OldestAge.TotalSeconds, _free.Bytes, _free.Inodes);
                }

                _ = OpenAsync(_opening, isLogged);
            }

            return _opening?.Task;
        }
    }

    /// <summary>Why admission is closed, or <c>null</c>. Called under the lock.</summary>
    private string? FindReason()
    {
        var backlog = getBacklog();
        if (backlog.Bytes > MaxBacklogBytes)
        {
            return "the backlog is too large";
        }

        if (backlog.OldestAge > MaxOldestAge)
        {
            return "the oldest entry of the backlog has waited too long";
        }

        ReadFreeSpace();
        if (_free.Bytes < GetRequiredBytes(backlog))
        {
            return "the disk is almost full";
        }

        return _free.Inodes < MinFreeInodes ? "the disk has almost no free inodes" : null;
    }

    private long GetRequiredBytes(Backlog backlog) => (CopiesOnDisk * (backlog.Bytes + bodies.BytesInFlight)) + MinFreeBytes;

    private void ReadFreeSpace()
    {
        if (_freeReadAt is { } readAt && time.GetElapsedTime(readAt) < DiskPollInterval)
        {
            return;
        }

        _freeReadAt = time.GetTimestamp();
        _free = new(long.MaxValue, long.MaxValue);
        foreach (var folder in _folders)
        {
            try
            {
                if (FreeSpace.Of(folder) is { } free)
                {
                    _free = new(Math.Min(_free.Bytes, free.Bytes), Math.Min(_free.Inodes, free.Inodes));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The append to the journal reports what is wrong with the disk.
            }
        }
    }

    /// <summary>Opens admission when there is no reason left, also while no request waits for it.</summary>
    private async Task OpenAsync(TaskCompletionSource opening, bool isLogged)
    {
        var hasRefused = false;
        try
        {
            while (!opening.Task.IsCompleted)
            {
                await Task.Delay(PollInterval, time, lifetime.ApplicationStopping);
                lock (_lock)
                {
                    if (FindReason() is null)
                    {
                        hasRefused = _hasRefused;
                        _hasRefused = false;
                        _opening = null;
                        opening.SetResult();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            opening.SetCanceled(lifetime.ApplicationStopping);
            return;
        }

        if (isLogged)
        {
            Log.Opened(logger);
        }

        if (hasRefused)
        {
            await PingAsync();
        }
    }

    private async Task PingAsync()
    {
        for (var i = 1; i <= MaxPings; i++)
        {
            try
            {
                await homeserver.PingAsync(lifetime.ApplicationStopping);
                return;
            }
            catch (HomeserverException e)
            {
                if (!e.IsTransient || i == MaxPings)
                {
                    Log.PingFailed(logger, e.Message);
                    return;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(PingInterval, time, lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock)
            {
                if (_opening is not null)
                {
                    // The next opening pings.
                    _hasRefused = true;
                    return;
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AdmissionClosed, LogLevel.Warning,
            "Transactions are delayed because {Reason}: backlog {BacklogBytes} bytes, oldest entry {OldestSeconds:0} s old, "
                + "{FreeBytes} bytes and {FreeInodes} inodes free. After 30 s they are refused with 503, and the homeserver will retry. "
                + "Further occurrences are logged once a minute.")]
        public static partial void Closed(
            ILogger logger, string reason, long backlogBytes, double oldestSeconds, long freeBytes, long freeInodes);

        [LoggerMessage(EventIds.AdmissionOpened, LogLevel.Information, "Transactions are accepted again")]
        public static partial void Opened(ILogger logger);

        [LoggerMessage(EventIds.PingFailed, LogLevel.Warning,
            "Failed to ping the homeserver, which may take minutes to retry the refused transactions: {Reason}")]
        public static partial void PingFailed(ILogger logger, string reason);
    }
}
