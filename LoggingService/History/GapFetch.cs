using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;

namespace LoggingService.History;

/// <summary>Fetches the events of a room that were not pushed, or whose push was lost, and logs them behind a note.</summary>
internal sealed partial class GapFetch(
    HistoryPages pages, FetchedLog fetched, LogDirectory logs, TimeProvider time, ILogger<GapFetch> logger)
{
    /// <summary>Usually the last event is in the log, and no more are needed.</summary>
    private const int FirstPageSize = 20;

    /// <summary>Clocks differ, and events overtake each other.</summary>
    private static readonly long Margin = (long)TimeSpan.FromHours(1).TotalMilliseconds;

    /// <summary>An event that was sent just now may be in the history before it is pushed.</summary>
    private static readonly TimeSpan PushDelay = TimeSpan.FromSeconds(5);

    /// <summary>Compares a room's history with its log, and logs what is missing.</summary>
    /// <inheritdoc cref="GapFinder"/>
    /// <returns>False if our user may not read the history.</returns>
    /// <exception cref="HomeserverException">The homeserver refuses otherwise, or can't be reached.</exception>
    /// <exception cref="IOException">A record can't be read, or the journal not be written.</exception>
    public async Task<bool> RunAsync(string roomId, long since, bool isQuiet, CancellationToken cancellation)
    {
        try
        {
            var gap = await FindAsync(roomId, since, isQuiet, cancellation);
            if (gap.Count > 0)
            {
                await Task.Delay(PushDelay, time, cancellation);
                gap = await FindAsync(roomId, since, isQuiet, cancellation);
            }

            if (gap.Count > 0)
            {
                await LogAsync(roomId, gap, cancellation);
            }

            return true;
        }
        catch (HomeserverException e) when (e.Status is StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound)
        {
            return false;
        }
    }

    private async Task<Gap> FindAsync(string roomId, long since, bool isQuiet, CancellationToken cancellation)
    {
        GapFinder? finder = null;
        string? from = null;
        var limit = FirstPageSize;
        do
        {
            var page = await pages.ReadAsync(roomId, from, isForward: false, cancellation, limit);

            // After the first page: what was pushed meanwhile is in the log.
            finder ??= await CreateAsync(roomId, since, isQuiet);
            from = finder.Add(page) ? page.End : null;
            limit = HistoryPages.PageSize;
        }
        while (from is not null);
        return finder.Gap;
    }

    private async Task<GapFinder> CreateAsync(string roomId, long since, bool isQuiet)
    {
        await logs.CaughtUpAsync();
        var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
        var all = new Lazy<KnownEvents>(() => KnownEvents.OpenAll(folder));
        return new(
            RecentLines.Read(folder, since - Margin), id => FindEarlier(folder, all.Value, id), since, isQuiet,
            e => pages.MayBeLogged(e, withRemoved: false));
    }

    private static KnownLine? FindEarlier(string folder, KnownEvents all, string eventId)
    {
        if (!all.Contains(eventId))
        {
            return null;
        }

        if (all.Find(eventId) is not { } found)
        {
            // Retention has removed its line.
            return new(0, IsFetched: false);
        }

        using var file = DayFile.TryOpen(Path.Combine(folder, DayFileName.Record(found.Day).ToString()));
        var e = file is null ? null : RecordReader.EventAt(file.ReadAt, found.Offset);
        return new(e?.ReceivedTs ?? 0, e?.FetchedTs is not null);
    }

    private async Task LogAsync(string roomId, Gap gap, CancellationToken cancellation)
    {
        var count = gap.Count;
        var note = Note.Create(Note.EventsFetched, roomId, gap.Oldest!.EventId, content =>
        {
            content.WriteNumber("count", count);
            content.WriteNumber("from", gap.From);
            content.WriteNumber("to", gap.To);
        });

        // The pages were read backwards. The note is durable with the events of the oldest one.
        var page = gap.OldestPage!;
        await fetched.AppendAsync([.. page.Events.Reverse().Where(gap.Remove)], dayOf: null, cancellation, note);
        for (var from = page.Start; gap.Count > 0 && from is not null; from = page.End)
        {
            page = await pages.ReadAsync(roomId, from, isForward: true, cancellation);
            await fetched.AppendAsync([.. page.Events.Where(gap.Remove)], dayOf: null, cancellation);
        }

        Log.Fetched(logger, count - gap.Count, roomId);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.GapFetched, LogLevel.Warning, "Fetched {Count} events of {RoomId} that the homeserver had not pushed")]
        public static partial void Fetched(ILogger logger, int count, string roomId);
    }
}
