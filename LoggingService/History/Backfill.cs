using System.Globalization;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;

namespace LoggingService.History;

/// <summary>
/// Logs the history of a room from before it was logged, into the days on which its events were sent: from the oldest event on, a page at a
/// time. A page is durable before the job notes the next one, so that a kill costs one page, which is dropped as known.
/// </summary>
internal sealed class Backfill(
    HistoryPages pages, HomeserverHistory homeserver, FetchedLog fetched, LogDirectory logs, TimeProvider time)
{
    /// <summary>After a failed call; the client has retried it, and waited for as long as the homeserver asked for.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    /// <summary>Servers' clocks differ, and events overtake each other.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromDays(1);

    /// <summary>Runs a job until it is complete, or fails; the last report has <see cref="BackfillJob.IsDone"/> or an error.</summary>
    /// <param name="report">Receives the job after each page: it must be durable when this returns.</param>
    /// <exception cref="OperationCanceledException">It was cancelled: the job can be resumed from the last report.</exception>
    /// <exception cref="IOException">The journal can't be written, or a record not be read.</exception>
    public async Task RunAsync(BackfillJob job, Action<BackfillJob> report, CancellationToken cancellation)
    {
        // What an earlier process left in the journal must be in the records.
        await logs.CaughtUpAsync().WaitAsync(cancellation);
        var folder = Path.Combine(logs.Root, FolderName.ForRoom(job.RoomId));
        job = job with { To = job.To ?? await Task.Run(() => FirstPushed(folder), cancellation), Error = null, Waiting = null };
        var known = await Task.Run(() => KnownEvents.OpenAll(folder), cancellation);
        var isResumed = job.Next is not null;
        try
        {
            while (!job.IsDone)
            {
                try
                {
                    job = await LogNextAsync(job, report, known, cancellation);
                }
                catch (HomeserverException e) when (isResumed && e.Status == StatusCodes.Status400BadRequest)
                {
                    // It has forgotten the position of an earlier run. What was logged is known.
                    job = job with { Next = null };
                }

                isResumed = false;
                report(job);
            }
        }
        catch (HomeserverException e)
        {
            report(job with { Error = e.Message });
        }
    }

    /// <summary>When the first event of a room was pushed, by its records; all of its history if none has one.</summary>
    private static long FirstPushed(string folder)
    {
        foreach (var day in DayFileName.In(folder).Where(name => name.IsRecord).Select(name => name.Day).Distinct().Order())
        {
            foreach (var line in RecordReader.Lines(Path.Combine(folder, DayFileName.Record(day).ToString())))
            {
                if (RecordLine.ReadFetchedTs(line.Bytes.Span) is null && RoomEvent.FromRecord(line.Bytes)?.ReceivedTs is { } receivedTs)
                {
                    return receivedTs;
                }
            }
        }

        return long.MaxValue;
    }

    /// <summary>Days that were removed come back where the first day is given.</summary>
    private static bool WithRemoved(BackfillJob job) => job.Since is not null;

    private DateOnly? FirstDay(BackfillJob job)
    {
        var since = job.Since is { } text ? DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture) : (DateOnly?)null;
        var kept = pages.FindFirstKept(job.RoomId, WithRemoved(job));
        return since is null || kept > since ? kept : since;
    }

    /// <summary>The position of a day; <c>null</c> for the start of the history, where the homeserver does not tell.</summary>
    private async Task<string?> FindStartAsync(string roomId, DateOnly day, CancellationToken cancellation)
    {
        var start = day.ToDateTime(TimeOnly.MinValue);
        var startTs = new DateTimeOffset(start, time.LocalTimeZone.GetUtcOffset(start)).ToUnixTimeMilliseconds();
        var marginTs = startTs - (long)Margin.TotalMilliseconds;
        return await homeserver.FindEventAtAsync(roomId, marginTs, cancellation) is { } first
            ? await homeserver.FindPositionAsync(roomId, first, cancellation)
            : null;
    }

    private async Task<BackfillJob> LogNextAsync(
        BackfillJob job, Action<BackfillJob> report, KnownEvents known, CancellationToken cancellation)
    {
        if (job.Next is null && FirstDay(job) is { } day)
        {
            job = job with { Next = await RetryAsync(job, report, () => FindStartAsync(job.RoomId, day, cancellation), cancellation) };
        }

        var page = await RetryAsync(
            job, report, () => pages.ReadAsync(job.RoomId, job.Next, isForward: true, cancellation), cancellation);
        return await LogAsync(job, page, known, cancellation);
    }

    /// <summary>Logs the events of a page; they are in the room's files when this returns.</summary>
    private async Task<BackfillJob> LogAsync(BackfillJob job, HistoryPage page, KnownEvents known, CancellationToken cancellation)
    {
        while (logs.RoomCounts.Parked > 0)
        {
            // The journal must not take the history of a room that can't be written.
            await Task.Delay(Retry, time, cancellation);
        }

        var first = FirstDay(job);
        var events = page.Events
            .Where(e => e.OriginServerTs < job.To && !(pages.DayOf(e) < first))
            .Where(e => pages.MayBeLogged(e, WithRemoved(job)) && !known.Contains(e.EventId))
            .ToList();
        await fetched.AppendAsync(events, pages.DayOf, cancellation);
        return job with
        {
            Next = page.End ?? job.Next,
            Events = job.Events + events.Count,
            From = job.From ?? page.FirstSent,
            Reached = page.LastSent ?? job.Reached,
            IsDone = page.End is null || page.IsSince(job.To!.Value),
            Waiting = null,
        };
    }

    /// <summary>Repeats a call until the homeserver can be reached and accepts it.</summary>
    private async Task<T> RetryAsync<T>(BackfillJob job, Action<BackfillJob> report, Func<Task<T>> call, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                cancellation.ThrowIfCancellationRequested();
                return await call();
            }
            catch (HomeserverException e) when (e.IsTransient)
            {
                report(job with { Waiting = e.Message });
                await Task.Delay(Retry, time, cancellation);
            }
        }
    }
}
