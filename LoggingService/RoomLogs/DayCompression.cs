using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Compresses the days before the last ones (<c>CompressAfterDays</c>), at start and once a day: one file at a time, on a thread of its
/// own. Not a room's newest day, to which its <c>latest.log</c> points, nor a day that may be written.
/// </summary>
internal sealed partial class DayCompression(
    LogDirectory logs, LoggingServiceOptions options, TimeProvider time, ILogger<DayCompression> logger) : BackgroundService
{
    private (DateOnly Today, int CompressAfterDays)? _compressed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
            if (options.CompressAfterDays is { } days && _compressed != (today, days))
            {
                _compressed = (today, days);
                var keepFrom = options.RetainDays is { } retained ? today.AddDays(-retained) : DateOnly.MinValue;
                await Task.Factory.StartNew(
                    () => CompressDays(keepFrom, today.AddDays(-days), stoppingToken),
                    stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
    }

    private void CompressDays(DateOnly keepFrom, DateOnly before, CancellationToken stoppingToken)
    {
        var (files, bytes, compressedBytes) = (0, 0L, 0L);
        var (failures, reason) = (0, "");
        try
        {
            foreach (var (folder, name) in Find(logs.Root, day => day >= keepFrom && day < before))
            {
                try
                {
                    var path = Path.Combine(folder, name.ToString());
                    var length = new FileInfo(path).Length;
                    if (logs.Rewriting.Exclusive(() => TryCompress(folder, name, stoppingToken)))
                    {
                        files++;
                        bytes += length;
                        compressedBytes += new FileInfo(path + DayFile.CompressedSuffix).Length;
                    }
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    reason = failures++ == 0 ? e.Message : reason;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = failures++ == 0 ? e.Message : reason;
        }
        finally
        {
            if (files > 0)
            {
                Log.Compressed(logger, files, before, bytes, compressedBytes);
            }

            if (failures > 0)
            {
                Log.NotCompressed(logger, failures, reason);
            }
        }
    }

    /// <summary>The records and texts to compress, without links.</summary>
    private static IEnumerable<(string Folder, DayFileName Name)> Find(string root, Predicate<DateOnly> isOld)
    {
        foreach (var folder in new DirectoryInfo(root).EnumerateDirectories("!*").Where(folder => folder.LinkTarget is null).ToList())
        {
            var names = DayFileName.In(folder.FullName).Where(name => name.IsRecord || name.IsText).ToList();
            var newest = names.Count == 0 ? default : names.Max(name => name.Day);
            foreach (var name in names.Where(name => !name.IsCompressed && name.Day < newest && isOld(name.Day)).OrderBy(name => name.Day))
            {
                if (new FileInfo(Path.Combine(folder.FullName, name.ToString())).LinkTarget is null)
                {
                    yield return (folder.FullName, name);
                }
            }
        }
    }

    /// <summary>Compresses a file; false if it may be written, or was removed.</summary>
    /// <exception cref="IOException">It can't be compressed, or changed meanwhile.</exception>
    private bool TryCompress(string folder, DayFileName name, CancellationToken stoppingToken)
    {
        var path = Path.Combine(folder, name.ToString());
        if (RecordStamp.Of(path) is not { } stamp || !RunUnlessWritten(folder, name.Day, static () => { }, stoppingToken))
        {
            return false;
        }

        CompressedDay.Copy(path, stoppingToken);
        var compressed = path + DayFile.CompressedSuffix;
        var ids = Path.Combine(folder, DayFileName.Ids(name.Day).ToString());
        var newIds = ids + DayFile.CompressedSuffix + ".new";
        var hasIds = name.IsRecord && RecordStamp.Of(compressed) is { } newStamp && EventIdFile.TryCopy(ids, newIds, stamp, newStamp);
        var (isDone, isChanged) = (false, false);
        RunUnlessWritten(
            folder, name.Day,
            () =>
            {
                if (RecordStamp.Of(path) is not { } current)
                {
                    // It was removed meanwhile.
                    File.Delete(compressed);
                }
                else if (current == stamp)
                {
                    if (hasIds)
                    {
                        Posix.Rename(newIds, ids);
                    }

                    File.Delete(path);
                    isDone = true;
                }
                else
                {
                    File.Delete(compressed);
                    isChanged = true;
                }
            },
            stoppingToken);
        File.Delete(newIds);
        return isChanged ? throw CompressedDay.Changed(path) : isDone;
    }

    private bool RunUnlessWritten(string folder, DateOnly day, Action action, CancellationToken stoppingToken) =>
        logs.RunUnlessWrittenAsync(Path.GetFileName(folder), day, action).WaitAsync(stoppingToken).GetAwaiter().GetResult();

    private static partial class Log
    {
        [LoggerMessage(EventIds.DaysCompressed, LogLevel.Information,
            "Compressed {FileCount} files of days before {Before:yyyy-MM-dd} from {Bytes} to {CompressedBytes} bytes (CompressAfterDays)")]
        public static partial void Compressed(ILogger logger, int fileCount, DateOnly before, long bytes, long compressedBytes);

        [LoggerMessage(EventIds.DaysNotCompressed, LogLevel.Error,
            "Failed to compress {FileCount} files: {Reason}. The next attempt is tomorrow or at the next start.")]
        public static partial void NotCompressed(ILogger logger, int fileCount, string reason);
    }
}
