using System.Diagnostics;
using LoggingService.Files;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

/// <summary>
/// Keeps the index up to date, in the background: builds it where it is missing or damaged, follows the records each second, and removes
/// deleted words within a minute. One process does; another one waits until it ends.
/// </summary>
/// <param name="root">The log directory.</param>
internal sealed partial class IndexMaintenance(string root, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FullInterval = TimeSpan.FromMinutes(1);

    /// <summary>Longer where a purge takes longer than a fifth of it.</summary>
    private static readonly TimeSpan MinPurgePause = TimeSpan.FromSeconds(20);
    /// <summary>A check reads all of the file.</summary>
    private static readonly TimeSpan MinCheckPause = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _reported = [];
    private readonly HiddenEvents _hidden = new(root);
    private volatile bool _isCheckRequested;
    private volatile bool _isBuilding = true;
    private string? _error;
    private long _fullAt;
    private long _purgedAt;
    private TimeSpan _purgePause;

    /// <summary>An index is built: searches do not find everything yet.</summary>
    public bool IsBuilding => _isBuilding;

    /// <summary>Has the file checked soon, after a search that could not read it.</summary>
    public void RequestCheck() => _isCheckRequested = true;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Factory.StartNew(
        () => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using var held = IndexLock.TryAcquire(root);
                if (held is null)
                {
                    _isBuilding = false;
                }
                else
                {
                    Maintain(stoppingToken);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SqliteException e) when (SearchDatabase.IsDamage(e))
            {
                Log.Damaged(logger, SearchDatabase.PathOf(root), e.Message);
                TryDelete();
            }
            catch (Exception e) when (SearchDatabase.IsExpected(e))
            {
                if (_error != e.Message)
                {
                    Log.Failed(logger, e.Message);
                }

                _error = e.Message;
            }

            stoppingToken.WaitHandle.WaitOne(Interval);
        }
    }

    /// <summary>Follows the records until the index must be opened again.</summary>
    private void Maintain(CancellationToken stoppingToken)
    {
        using var tables = IndexTables.Open(root);
        var file = Posix.Stat(SearchDatabase.PathOf(root));
        _isCheckRequested = false;
        SearchDatabase.Check(tables.Writer.Connection);
        var update = new IndexUpdate(root, tables, ReportUnreadable);
        var started = Stopwatch.GetTimestamp();
        (_fullAt, _purgePause, _isBuilding) = (0, TimeSpan.Zero, true);
        while (!stoppingToken.IsCancellationRequested)
        {
            if (IndexLock.TakeRequest(root))
            {
                Log.Rebuilding(logger);
                tables.Dispose();
                SearchDatabase.Delete(root);
                return;
            }

            if (Posix.Stat(SearchDatabase.PathOf(root))?.IsSameFileAs(file!.Value) != true)
            {
                // Another program removed or replaced it.
                return;
            }

            if (_isCheckRequested && Stopwatch.GetElapsedTime(started) >= MinCheckPause)
            {
                // It is checked when it is opened.
                return;
            }

            var isFull = _fullAt == 0 || Stopwatch.GetElapsedTime(_fullAt) >= FullInterval;
            _hidden.Refresh();
            update.Run(_hidden.Current, isFull, (_, _) => { }, stoppingToken);
            if (_fullAt == 0 && tables.Writer.Events > 0)
            {
                Log.Built(logger, tables.Writer.Events, (long)Stopwatch.GetElapsedTime(started).TotalSeconds);
                IndexPurge.RequestMerge(tables.Writer);
            }

            _isBuilding = false;
            _error = null;
            _fullAt = isFull ? Stopwatch.GetTimestamp() : _fullAt;
            Purge(tables);
            stoppingToken.WaitHandle.WaitOne(Interval);
        }
    }

    private void Purge(IndexTables tables)
    {
        if (Stopwatch.GetElapsedTime(_purgedAt) >= _purgePause && IndexPurge.IsNeeded(tables.Writer.Connection))
        {
            var started = Stopwatch.GetTimestamp();
            var isPurged = IndexPurge.Run(tables.Writer);
            _purgedAt = Stopwatch.GetTimestamp();
            var pause = 4 * Stopwatch.GetElapsedTime(started);

            // Where a search was in the way, the rest takes no time.
            _purgePause = !isPurged ? TimeSpan.Zero : pause > MinPurgePause ? pause : MinPurgePause;
        }
    }

    private void TryDelete()
    {
        try
        {
            SearchDatabase.Delete(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.Failed(logger, e.Message);
        }
    }

    private void ReportUnreadable(string error)
    {
        if (_reported.Add(error))
        {
            Log.RecordNotIndexed(logger, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.IndexBuilt, LogLevel.Information, "Indexed {Events} events for searches in {Seconds} s.")]
        public static partial void Built(ILogger logger, long events, long seconds);

        [LoggerMessage(EventIds.IndexDamaged, LogLevel.Warning, "The index {Path} is damaged: {Reason}. It is built again.")]
        public static partial void Damaged(ILogger logger, string path, string reason);

        [LoggerMessage(EventIds.IndexRebuilding, LogLevel.Information, "The index for searches is built again, as requested.")]
        public static partial void Rebuilding(ILogger logger);

        [LoggerMessage(EventIds.IndexFailed, LogLevel.Warning, "Failed to update the index for searches: {Reason}. It is retried.")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(EventIds.RecordNotIndexed, LogLevel.Warning, "Failed to index {Record}")]
        public static partial void RecordNotIndexed(ILogger logger, string record);
    }
}
