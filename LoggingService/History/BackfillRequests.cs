using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.History;

/// <summary>Runs the backfills that the command asks the service for (<see cref="BackfillRequest"/>), one at a time.</summary>
internal sealed partial class BackfillRequests(Backfill backfill, LogDirectory logs, ILogger<BackfillRequests> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                // By the user of the service: the command may be run by root.
                Posix.CreateFolder(Path.Combine(logs.Root, CheckedTime.FolderName));
                if (BackfillRequest.Find(logs.Root) is { } path && BackfillJob.Read(path) is { IsDone: false, Error: null } job)
                {
                    await RunAsync(path, job, stoppingToken);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The log directory was moved, or the disk is full: the writer reports it.
            }
        }
    }

    private async Task RunAsync(string path, BackfillJob job, CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Log.Started(logger, job.RoomId, job.Events);
        var run = backfill.RunAsync(job, Report, stop.Token);
        while (!run.IsCompleted)
        {
            await Task.WhenAny(run, Task.Delay(Interval, CancellationToken.None));
            if (!BackfillRequest.IsWanted(path))
            {
                await stop.CancelAsync();
            }
        }

        try
        {
            await run;
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // It goes on from the last page that was reported when it is wanted again.
            Log.Interrupted(logger, job.RoomId, job.Events);
        }

        void Report(BackfillJob reported)
        {
            reported.Write(path);
            job = reported;
            if (reported.Error is { } error)
            {
                Log.Failed(logger, reported.RoomId, error);
            }
            else if (reported.IsDone)
            {
                Log.Ended(logger, reported.RoomId, reported.Events);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.BackfillStarted, LogLevel.Information, "Backfilling {RoomId}; {Count} events were logged before")]
        public static partial void Started(ILogger logger, string roomId, long count);

        [LoggerMessage(EventIds.BackfillEnded, LogLevel.Information, "Backfilled {RoomId}: {Count} events")]
        public static partial void Ended(ILogger logger, string roomId, long count);

        [LoggerMessage(EventIds.BackfillInterrupted, LogLevel.Information, "Interrupted the backfill of {RoomId} after {Count} events")]
        public static partial void Interrupted(ILogger logger, string roomId, long count);

        [LoggerMessage(EventIds.BackfillFailed, LogLevel.Error, "Failed to backfill {RoomId}: {Reason}")]
        public static partial void Failed(ILogger logger, string roomId, string reason);
    }
}
