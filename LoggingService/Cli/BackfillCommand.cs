using System.CommandLine;
using System.Globalization;
using LoggingService.Files;
using LoggingService.History;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>
/// The command <c>backfill</c>: logs the history of a room from before it was logged. Where a service writes to the log directory it does
/// the work, and the command shows how far it is; otherwise the command does it.
/// </summary>
internal static class BackfillCommand
{
    private const int RepairAttempts = 10;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <param name="readOptions">Reads the settings.</param>
    /// <param name="build">Builds a service that does not serve.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions, Func<ParseResult, WebApplication> build)
    {
        var command = new Command(
            "backfill", "Logs the history of a room from before it was logged. It can be interrupted, and resumed by the same command.");
        var room = new Argument<string>("ROOM") { Description = "A room id or an alias of a logged room" };
        var since = new Option<string?>("--since") { Description = "The first day, such as 2026-01-31", HelpName = "DATE" };
        command.Add(room);
        command.Add(since);
        SettingOption.AddAllTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = readOptions(parsed);
            var root = LogDirectoryPath.Of(options);
            var roomId = await FindRoomAsync(root, parsed.GetRequiredValue(room), cancellation);
            var path = BackfillJob.PathOf(root, roomId);
            var job = ReadOrCreate(path, roomId, ReadDay(parsed.GetValue(since)));
            using var stop = new StopSignals(cancellation);
            var progress = new BackfillProgress(Console.Out, isTerminal: !Console.IsOutputRedirected, job);
            var last = LogDirectoryLock.IsHeld(root) switch
            {
                true => await WatchAsync(root, path, job, progress, stop.Token),
                false => await RunAsync(build, parsed, root, path, job, progress, stop.Token),
                null => throw new FatalException($"{CurrentUser.Name} has no access to {root}: run backfill as the user of the service"),
            };
            return End(root, path, last, progress);
        });
        return command;
    }

    /// <exception cref="FatalException">There is no such room, or it has no event.</exception>
    private static async Task<string> FindRoomAsync(string root, string room, CancellationToken cancellation)
    {
        var folder = Path.Combine(root, LogDirectoryPath.OfRoom(root, room));
        for (var attempt = 1; ; attempt++)
        {
            if (RoomRecords.FindLast(folder) is { } last)
            {
                return last.RoomId;
            }

            // A service that was just started may be repairing the record.
            if (attempt == RepairAttempts || LogDirectoryLock.IsHeld(root) != true)
            {
                throw new FatalException($"The log of {room} in {root} has no event: nothing tells since when the room is logged");
            }

            await Task.Delay(Interval, cancellation);
        }
    }

    private static string? ReadDay(string? text)
    {
        if (text is null)
        {
            return null;
        }

        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? text
            : throw new ConfigurationException($"--since {text}: a date is expected, such as 2026-01-31");
    }

    /// <summary>The job to resume, or a new one, which is written.</summary>
    private static BackfillJob ReadOrCreate(string path, string roomId, string? since)
    {
        if (BackfillJob.Read(path) is { IsDone: false } found && found.RoomId == roomId && found.Since == since)
        {
            var resumed = found with { Error = null, Waiting = null };
            if (found.Error is not null)
            {
                // Otherwise the service may be writing it, for a command that was killed just now.
                resumed.Write(path);
            }

            return resumed;
        }

        var created = new BackfillJob(roomId, since);
        created.Write(path);
        return created;
    }

    /// <summary>Has the running service do the work.</summary>
    private static async Task<BackfillJob> WatchAsync(
        string root, string path, BackfillJob job, BackfillProgress progress, CancellationToken cancellation)
    {
        try
        {
            while (job is { IsDone: false, Error: null } && !cancellation.IsCancellationRequested)
            {
                BackfillRequest.Renew(path);
                await Task.Delay(Interval, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                job = BackfillJob.Read(path) ?? job;
                progress.Show(job);
                if (LogDirectoryLock.IsHeld(root) == false)
                {
                    throw new FatalException("The service has stopped. Run the command again to resume");
                }
            }

            return job;
        }
        finally
        {
            BackfillRequest.Withdraw(path);
        }
    }

    /// <summary>Does the work in place of a service.</summary>
    private static async Task<BackfillJob> RunAsync(
        Func<ParseResult, WebApplication> build, ParseResult parsed, string root, string path, BackfillJob job, BackfillProgress progress,
        CancellationToken cancellation)
    {
        if (Environment.IsPrivilegedProcess && FileOwner.Of(root) is { User: not 0 })
        {
            throw new FatalException($"The service is not running: run backfill as the user that owns {root}, or start the service");
        }

        await using var app = build(parsed);
        var logs = app.Services.GetRequiredService<LogDirectory>();
        var updates = app.Services.GetRequiredService<RoomFileUpdates>();
        ReplayedRoomFiles.Subscribe(
            logs, app.Services.GetRequiredService<RoomFiles>(), updates, app.Services.GetRequiredService<LoggingServiceOptions>(),
            app.Services.GetRequiredService<TimeProvider>());
        logs.Start();
        using var stop = new CancellationTokenSource();
        var ticks = Task.CompletedTask;
        try
        {
            await ReplayedRoomFiles.CaughtUpAsync(logs, updates).WaitAsync(cancellation);
            await updates.StartAsync(CancellationToken.None);
            ticks = TickAsync(logs, stop.Token);
            await app.Services.GetRequiredService<Backfill>().RunAsync(job, Report, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The last report is where it is resumed.
        }
        finally
        {
            await stop.CancelAsync();
            await ticks;
            await ReplayedRoomFiles.StopAsync(logs, updates);
        }

        return job;

        void Report(BackfillJob reported)
        {
            reported.Write(path);
            job = reported;
            progress.Show(reported);
        }
    }

    private static async Task TickAsync(LogDirectory logs, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await logs.TickAsync();
            await Task.Delay(Interval, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static int End(string root, string path, BackfillJob job, BackfillProgress progress)
    {
        progress.End();
        if (job.Error is { } error)
        {
            throw new FatalException($"Failed to backfill {job.RoomId}: {error}");
        }

        if (!job.IsDone)
        {
            Console.WriteLine($"Interrupted after {BackfillProgress.Events(job)}. Run the command again to resume.");
            return 1;
        }

        File.Delete(path);
        var removed = new RemovedDays(root, TimeProvider.System);
        if (job.Since is null && removed.FindFirstKept(FolderName.ForRoom(job.RoomId)) is { } day)
        {
            Console.WriteLine($"Days before {day:yyyy-MM-dd} were removed. Only --since logs them again, as far as RetainDays keeps them.");
        }

        Console.WriteLine($"Logged {BackfillProgress.Events(job)} from before the room was logged");
        return 0;
    }
}
