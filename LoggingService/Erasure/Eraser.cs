using LoggingService.Consent;
using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// Erases what a request names from everything below <c>logs/</c>: records, texts and ids, also of compressed days, texts that were set
/// aside, parked segments, the quarantine, and the journal, which a checkpoint empties. It may be killed at any point; the same request
/// again ends the work. A room is searched while it is logged, and closed only if it has something to rewrite.
/// </summary>
internal sealed class Eraser(LogDirectory logs, RoomFiles files, TimeProvider time, ILogger<Eraser> logger)
{
    /// <summary>What a request would change. Reads files only.</summary>
    public static ErasureReport Count(string root, ErasureRequest request)
    {
        var report = new ErasureReport();
        var ids = new HashSet<string> { request.Name };
        foreach (var folder in RoomFolders.Find(root, request.Room, report.NotRead))
        {
            try
            {
                if (request.Room is not null)
                {
                    new RoomRemoval(folder, request.Before, request.MarkedAt, report).Count();
                    continue;
                }

                var lines = new LineErasure(ErasureScope.Of(request));
                new RoomErasure(folder, lines, DateOnly.MinValue, report).Count(request.IsResumed);
                if (request.EventId is not null)
                {
                    ids.UnionWith(lines.ErasedIds);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                report.NotRead.Add($"{Path.GetFileName(folder.Path)}: {e.Message}");
            }
        }

        report.Quarantined = new QuarantineErasure(root, ids, request.Before).Count(report.NotRead);
        return report;
    }

    /// <summary>Erases in all rooms, or in that of the request. Those in which it fails are in the report, and don't keep it from others.
    /// </summary>
    /// <param name="failed">The report of a run of the same request: only the rooms in which that failed are erased.</param>
    /// <exception cref="IOException">A checkpoint failed: the request must be repeated.</exception>
    public async Task<ErasureReport> RunAsync(
        ErasureRequest request, ErasureReport? failed = null, CancellationToken cancellation = default)
    {
        // What was logged so far leaves the journal: a replay would log it again.
        await CheckpointAsync();
        var report = new ErasureReport { IsRepeated = request.IsResumed };
        report.ErasedIds.UnionWith(failed?.ErasedIds ?? [request.Name]);
        var folders = RoomFolders.Find(logs.Root, request.Room, report.NotRead);
        var parked = logs.Rewriting.ParkedRooms.Where(id => id != RoomEntry.Quarantine && (request.Room is null || request.Room == id))
            .Except(folders.Select(folder => folder.RoomId))
            .Select(id => RoomFolders.Of(logs.Root, id));
        foreach (var folder in folders.Concat(parked).Where(room => failed?.FailedRooms.Contains(room.RoomId) != false).ToList())
        {
            cancellation.ThrowIfCancellationRequested();
            await TryAsync(folder.RoomId, report, async () =>
            {
                if (request.Room is not null)
                {
                    await RemoveAsync(folder, request, report);
                    return;
                }

                var scope = ErasureScope.Of(request);
                var erased = await RunAsync(folder, scope, report);
                report.ErasedIds.UnionWith(request.EventId is not null ? erased : []);
                EraseProperties(folder, scope);
            });
        }

        var quarantine = new QuarantineErasure(logs.Root, report.ErasedIds, request.Before);
        await TryAsync(RoomEntry.Quarantine, report, async () =>
        {
            if (logs.Rewriting.ParkedRooms.Contains(RoomEntry.Quarantine))
            {
                await logs.Rewriting.RewriteParkedAsync(RoomEntry.Quarantine, quarantine.Rewrite);
            }

            if (quarantine.Count(report.NotRead) > 0)
            {
                report.Quarantined = await logs.Rewriting.RunAsync(RoomEntry.Quarantine, quarantine.Run);
            }
        });

        // Resends that arrived meanwhile are in the journal only.
        await CheckpointAsync();
        logs.Rewriting.DeleteSpare();
        AddNotRead(failed, report);
        return report;
    }

    /// <summary>Erases in one room; returns the ids of what is erased.</summary>
    /// <param name="onlySince">Events of the room whose days are the first with something to erase; <c>null</c> for all days.</param>
    /// <exception cref="IOException">Files of the room can't be read or written.</exception>
    public async Task<IReadOnlyCollection<string>> RunAsync(
        RoomFolder folder, ErasureScope scope, ErasureReport report, IReadOnlyCollection<string>? onlySince = null)
    {
        var lines = new LineErasure(scope);
        var searched = new ErasureReport();
        var state = await logs.Rewriting.FindStateAsync(folder.RoomId);
        if (state.IsPending)
        {
            // What the files may lack is parked, where it is rewritten.
            await CheckpointAsync(catchesUp: false);
        }

        var isParked = logs.Rewriting.ParkedRooms.Contains(folder.RoomId);
        var isAllParked = state.IsPending && isParked;
        state = await logs.Rewriting.FindStateAsync(folder.RoomId);
        bool isNeeded;
        try
        {
            isNeeded = await SearchAsync(lines);
        }
        finally
        {
            // Also where the files of the room can't be read: that may be why it is parked.
            if (isParked)
            {
                await logs.Rewriting.RewriteParkedAsync(folder.RoomId, entry => Rewrite(entry, lines));
            }
        }

        if (isParked)
        {
            // A repair may have appended the old entries meanwhile.
            searched = new();
            isNeeded = await SearchAsync(new(scope));
        }

        // Otherwise a repair may have cut lines meanwhile, which it appends again.
        var isComplete = isAllParked || (!state.IsPending && await logs.Rewriting.FindStateAsync(folder.RoomId) == state);
        if (!isNeeded && isComplete)
        {
            report.NotRead.AddRange(searched.NotRead);
            return lines.ErasedIds;
        }

        return await logs.Rewriting.RunAsync(folder.RoomId, () =>
        {
            var found = new LineErasure(scope);
            Create(found, report).Run();
            return found.ErasedIds;
        });

        Task<bool> SearchAsync(LineErasure search) => Task.Run(
            () => Directory.Exists(folder.Path) && Create(search, searched).Count(scope.IsResumed));

        RoomErasure Create(LineErasure erasure, ErasureReport into) => new(
            folder with { Zone = time.LocalTimeZone, Logger = logger },
            erasure,
            onlySince is null ? DateOnly.MinValue : KnownEvents.FindFirstDay(folder.Path, onlySince),
            into);
    }

    /// <summary>Adds what an earlier run could not read in rooms that this one has left out.</summary>
    private static void AddNotRead(ErasureReport? failed, ErasureReport report)
    {
        if (failed is not null)
        {
            var repeated = failed.FailedRooms.Where(id => id != RoomEntry.Quarantine).Select(FolderName.ForRoom).ToList();
            var leftOut = failed.NotRead.Where(sentence => sentence.StartsWith('!')
                && !repeated.Exists(room => sentence.StartsWith($"{room}/", StringComparison.Ordinal)));
            report.NotRead.AddRange(leftOut.Except(report.NotRead).ToList());
        }
    }

    private static async Task TryAsync(string roomId, ErasureReport report, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.FailedRooms.Add(roomId);
            report.Failures.Add($"{(roomId == RoomEntry.Quarantine ? "the quarantine" : roomId)}: {e.Message}");
        }
    }

    /// <summary>Removes days of a room, and marks its history as erased.</summary>
    private async Task RemoveAsync(RoomFolder folder, ErasureRequest request, ErasureReport report)
    {
        var until = request.Before is null ? request.MarkedAt : request.Until;
        try
        {
            await logs.Rewriting.RunAsync(folder.RoomId, () =>
            {
                // While the log is closed: what is in it is removed, and what was sent later is logged.
                Mark();
                var removed = folder with { Zone = time.LocalTimeZone, Logger = logger };
                new RoomRemoval(removed, request.Before, request.MarkedAt, report).Run(files);
                return true;
            });
        }
        finally
        {
            if (logs.Rewriting.ParkedRooms.Contains(folder.RoomId))
            {
                Mark();
                await logs.Rewriting.RewriteParkedAsync(
                    folder.RoomId,
                    entry => (request.Before is { } before ? entry.Day < before : entry.ReceivedTs <= until) ? null : entry);
            }
        }

        void Mark()
        {
            if (until is null)
            {
                // First: a repetition must not remove what is logged from now on.
                until = time.GetUtcNow().ToUnixTimeMilliseconds();
                new ErasureFiles(logs.Root).WriteRequest(request with { IsResumed = true, MarkedAt = until });
            }

            logs.Marks.Add(folder.RoomId, until.Value);
        }
    }

    /// <summary>Erases in <c>room.json</c>. Wishes that are in effect stay, without the user's id.</summary>
    private void EraseProperties(RoomFolder folder, ErasureScope scope)
    {
        var name = Path.GetFileName(folder.Path);
        var wishes = files.GetByFolder(name).Wishes;
        if (wishes.Kind != System.Text.Json.JsonValueKind.Object)
        {
            return;
        }

        var wish = RoomWish.ReadAll(wishes);
        if (scope is { User: { } user, Pseudonym: { } pseudonym } && wish.NoLogPrefix is { } prefix)
        {
            wish = wish with { NoLogPrefix = new Pseudonym(user, pseudonym).Replace(prefix) };
        }

        var kept = wish.ToJson();
        if (!kept.Bytes.Span.SequenceEqual(wishes.Bytes.Span))
        {
            files.UpdateByFolder(name, file => file with { Wishes = kept });
        }
    }

    private static JournalEntry Rewrite(JournalEntry entry, LineErasure lines)
    {
        if (entry.Event is { } e)
        {
            lines.Find(e);
        }

        return lines.Change(entry);
    }

    /// <param name="catchesUp">First waits until what is durable is in the rooms' files.</param>
    private async Task CheckpointAsync(bool catchesUp = true)
    {
        if (catchesUp)
        {
            await logs.CaughtUpAsync();
        }

        if (!await logs.EmptyJournalAsync())
        {
            throw new IOException($"The checkpoint of {logs.Root} failed");
        }
    }
}
