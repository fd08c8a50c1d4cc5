using LoggingService.Journal;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Erasure;

/// <summary>
/// Erases what a request names from everything below <c>logs/</c>: records, texts and ids, also of compressed days, texts that were set
/// aside, parked segments, the quarantine, and the journal, which a checkpoint empties. It may be killed at any point; the same request
/// again ends the work.
/// </summary>
internal sealed class Eraser(LogDirectory logs, TimeProvider time, ILogger<Eraser> logger)
{
    /// <summary>What a request would change. Reads files only.</summary>
    public static ErasureReport Count(string root, ErasureRequest request)
    {
        var report = new ErasureReport();
        var ids = new HashSet<string> { request.Name };
        foreach (var folder in Folders(root, request))
        {
            if (request.Room is not null)
            {
                new RoomRemoval(folder.Path, request.Before, report).Count();
                continue;
            }

            var lines = new LineErasure(ErasureScope.Of(request));
            new RoomErasure(folder, lines, DateOnly.MinValue, report).Count();
            if (request.EventId is not null)
            {
                ids.UnionWith(lines.ErasedIds);
            }
        }

        report.Quarantined = new QuarantineErasure(root, ids, request.Before).Count();
        return report;
    }

    /// <exception cref="IOException">A part of the work failed: the request must be repeated.</exception>
    public async Task<ErasureReport> RunAsync(ErasureRequest request, CancellationToken cancellation = default)
    {
        // What was logged so far leaves the journal: a replay would log it again.
        await CheckpointAsync();
        var report = new ErasureReport();
        var ids = new HashSet<string> { request.Name };
        var parked = logs.Rewriting.ParkedRooms.ToHashSet();
        if (request.Room is { } erased)
        {
            logs.Marks.Add(erased, request.Until);
        }

        foreach (var folder in Folders(logs.Root, request))
        {
            cancellation.ThrowIfCancellationRequested();
            var lines = new LineErasure(ErasureScope.Of(request));
            await RunAsync(folder, lines, report, request: request);
            parked.Remove(folder.RoomId);
            if (request.EventId is not null)
            {
                ids.UnionWith(lines.ErasedIds);
            }
        }

        foreach (var roomId in parked.Where(roomId => roomId.Length > 0 && (request.Room is null || request.Room == roomId)))
        {
            await RewriteParkedAsync(roomId, new LineErasure(ErasureScope.Of(request)), request);
        }

        report.Quarantined = await logs.Rewriting.RunAsync(
            RoomEntry.Quarantine, () => new QuarantineErasure(logs.Root, ids, request.Before).Run());

        // Resends that arrived meanwhile are in the journal only.
        await CheckpointAsync();
        logs.Rewriting.DeleteSpare();
        return report;
    }

    /// <summary>Erases in one room.</summary>
    /// <param name="onlySince">Events of the room whose days are the first with something to erase; <c>null</c> for all days.</param>
    /// <param name="request">Of a whole room; otherwise <paramref name="lines"/> decide.</param>
    public async Task RunAsync(
        RoomFolder folder,
        LineErasure lines,
        ErasureReport report,
        IReadOnlyCollection<string>? onlySince = null,
        ErasureRequest? request = null)
    {
        try
        {
            await logs.Rewriting.RunAsync(folder.RoomId, () =>
            {
                if (request?.Room is not null)
                {
                    new RoomRemoval(folder.Path, request.Before, report).Run();
                }
                else
                {
                    var firstDay = onlySince is null ? DateOnly.MinValue : KnownEvents.FindFirstDay(folder.Path, onlySince);
                    new RoomErasure(folder with { Zone = time.LocalTimeZone, Logger = logger }, lines, firstDay, report).Run();
                }

                return true;
            });
        }
        finally
        {
            // Also where the files of the room can't be written: that may be why it is parked.
            await RewriteParkedAsync(folder.RoomId, lines, request);
        }
    }

    private Task RewriteParkedAsync(string roomId, LineErasure lines, ErasureRequest? request) =>
        logs.Rewriting.ParkedRooms.Contains(roomId)
            ? logs.Rewriting.RewriteParkedAsync(roomId, entry => Rewrite(entry, lines, request))
            : Task.CompletedTask;

    private static JournalEntry? Rewrite(JournalEntry entry, LineErasure lines, ErasureRequest? request)
    {
        if (entry.Event is not { } e)
        {
            return entry;
        }

        if (request?.Room is not null)
        {
            return (request.Before is { } before ? entry.Day < before : entry.ReceivedTs < request.Until) ? null : entry;
        }

        lines.Find(e);
        return lines.Change(e, entry.Bytes, "}"u8).Bytes is { } bytes ? entry with { Bytes = bytes, Event = null } : entry;
    }

    /// <summary>The rooms' folders; a room without a readable record has nothing that could be found.</summary>
    private static IEnumerable<RoomFolder> Folders(string root, ErasureRequest request)
    {
        if (request.Room is { } room)
        {
            return [new RoomFolder(root, room, TimeZoneInfo.Utc, NullLogger.Instance)];
        }

        return new DirectoryInfo(root).EnumerateDirectories("!*")
            .Where(folder => folder.LinkTarget is null)
            .OrderBy(folder => folder.Name, StringComparer.Ordinal)
            .ToList()
            .Select(folder => RoomRecords.FindLast(folder.FullName)?.RoomId)
            .OfType<string>()
            .Select(roomId => new RoomFolder(root, roomId, TimeZoneInfo.Utc, NullLogger.Instance));
    }


    private async Task CheckpointAsync()
    {
        await logs.CaughtUpAsync();
        if (!await logs.CheckpointAsync())
        {
            throw new IOException($"The checkpoint of {logs.Root} failed");
        }
    }
}
