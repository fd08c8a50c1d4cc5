using System.Collections.Concurrent;
using LoggingService.Consent;
using LoggingService.Files;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Erasure;

/// <summary>
/// Where <c>Redactions</c>, or the room's wish, is <c>erase</c>: erases what was redacted, soon after the redaction was logged. Those that
/// a crash kept from being applied are found in the newest records at the next start, and those that failed since the day that
/// <c>room.json</c> has.
/// </summary>
internal sealed partial class RedactedEvents(
    LogDirectory logs, Eraser eraser, RoomWishes wishes, RoomFiles files, RoomFileUpdates updates, LoggingServiceOptions options,
    TimeProvider time, ILogger<RedactedEvents> logger)
{
    /// <summary>Redactions that arrive within this time are applied together: each time, the room's log is closed.</summary>
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(10);

    /// <summary>At a start, redactions of at least this many newest days of each room are applied.</summary>
    private const int CheckedDays = 2;

    private const string Erase = "erase";

    private readonly ConcurrentQueue<(RoomEvent Event, DateOnly Day)> _pending = new();

    /// <summary>What could not be read, and was logged.</summary>
    private readonly HashSet<string> _notRead = [];
    private long _pendingSince;
    private bool _isStartChecked;

    /// <summary>What is due may have been applied in part, by an earlier process.</summary>
    private bool _mayBeHalfDone;

    /// <summary>By room: when what failed, and may have been applied in part, is retried, and why it failed.</summary>
    private readonly Dictionary<string, (RetryDelay Delay, string Reason)> _failing = [];

    private bool MayBeOn => options.Redactions == Erase || options.RoomMaySet.Contains("redactions", StringComparison.Ordinal);

    /// <summary>Begins to watch what is logged.</summary>
    public void Subscribe() => logs.Written += lines =>
    {
        if (!MayBeOn || !IsOn(wishes.Get(lines[0].Event.RoomId)))
        {
            return;
        }

        foreach (var line in lines)
        {
            Add(line.Event, line.Day);
        }
    };

    /// <summary>Erases what is due.</summary>
    /// <exception cref="IOException">
    /// Files of a room could not be written, now or earlier: what it redacted stays due, and is retried later than that of other rooms.
    /// </exception>
    public async Task EraseAsync(CancellationToken cancellation)
    {
        if (!MayBeOn)
        {
            _pending.Clear();
            _failing.Clear();
            _isStartChecked = false;
            return;
        }

        if (!_isStartChecked)
        {
            await logs.CaughtUpAsync().WaitAsync(cancellation);
            AddNewest();
            _mayBeHalfDone = true;
            _isStartChecked = true;
        }

        if (!_pending.IsEmpty && time.GetElapsedTime(Interlocked.Read(ref _pendingSince)) >= Delay)
        {
            await ErasePendingAsync(cancellation);
        }

        if (_failing.Count > 0)
        {
            throw new IOException(string.Join("; ", _failing.Values.Select(room => room.Reason).Distinct().Order()));
        }
    }

    private async Task ErasePendingAsync(CancellationToken cancellation)
    {
        var due = new List<(RoomEvent Event, DateOnly Day)>();
        while (_pending.TryDequeue(out var redaction))
        {
            due.Add(redaction);
        }

        foreach (var room in due.GroupBy(redaction => redaction.Event.RoomId))
        {
            cancellation.ThrowIfCancellationRequested();
            var isDone = await TryEraseAsync(room.Key, [.. room.Select(redaction => redaction.Event)]);
            Keep(room.Key, isDone ? null : room.Min(redaction => redaction.Day));
            foreach (var (redaction, day) in isDone ? [] : room.ToList())
            {
                Enqueue(redaction, day);
            }
        }

        _mayBeHalfDone = false;
    }

    /// <summary>Keeps for the next start since which day redactions of a room are due.</summary>
    private void Keep(string roomId, DateOnly? first)
    {
        if (files.Find(roomId)?.PendingRedactionsFrom != first)
        {
            updates.Add(roomId, file => file.PendingRedactionsFrom == first ? file : file with { PendingRedactionsFrom = first });
        }
    }

    /// <returns>False if it is still due.</returns>
    private async Task<bool> TryEraseAsync(string roomId, List<RoomEvent> redactions)
    {
        var hasFailed = _failing.TryGetValue(roomId, out var failed);
        if (hasFailed && !failed.Delay.IsDue)
        {
            return false;
        }

        try
        {
            await EraseAsync(roomId, redactions, isResumed: _mayBeHalfDone || hasFailed);
            _failing.Remove(roomId);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var delay = failed.Delay ?? new(time);
            delay.Failed();
            _failing[roomId] = (delay, e.Message);
            return false;
        }
    }

    private bool IsOn(RoomWish wish) => (wish.Redactions ?? options.Redactions) == Erase;

    private async Task EraseAsync(string roomId, List<RoomEvent> redactions, bool isResumed)
    {
        var events = new Dictionary<string, string?>();
        var users = new Dictionary<string, RedactingBan?>();
        foreach (var e in redactions)
        {
            var target = EventKeys.Of(e).Target!;
            if (e.StateKey is null)
            {
                events[target] = e.EventId;
            }
            else if (e.FetchedTs is null || !(users.GetValueOrDefault(target)?.OriginServerTs > e.OriginServerTs))
            {
                // Not one that was fetched behind a later one.
                users[target] = new(e.EventId, e.OriginServerTs, IsFetched: e.FetchedTs is not null);
            }
        }

        var folder = new RoomFolder(logs.Root, roomId, time.LocalTimeZone, NullLogger.Instance);
        var scope = new ErasureScope(events, users, IsResumed: isResumed);
        var report = new ErasureReport();
        await eraser.RunAsync(folder, scope, report, onlySince: users.Count > 0 ? null : events.Keys);
        report.NotRead.ForEach(ReportNotRead);
    }

    /// <summary>Logs once what may still have the words of redacted events.</summary>
    private void ReportNotRead(string reason)
    {
        if (_notRead.Add(reason))
        {
            Log.NotRead(logger, reason);
        }
    }

    private void Add(RoomEvent e, DateOnly day)
    {
        var mayRedact = e.Type is "m.room.redaction" or "m.room.member";
        if (mayRedact && EventKeys.Of(e) is { Relation: EventIdKind.Redaction, Target: not null })
        {
            Enqueue(e.Copy(), day);
        }
    }

    private void Enqueue(RoomEvent redaction, DateOnly day)
    {
        if (_pending.IsEmpty)
        {
            Interlocked.Exchange(ref _pendingSince, time.GetTimestamp());
        }

        _pending.Enqueue((redaction, day));
    }

    private void AddNewest()
    {
        foreach (var folder in new DirectoryInfo(logs.Root).EnumerateDirectories("!*").Where(folder => folder.LinkTarget is null).ToList())
        {
            var file = files.FindByFolder(folder.Name);
            if (!IsOn(RoomWish.Read(file?.Wishes ?? default, options.RoomMaySet)))
            {
                continue;
            }

            foreach (var day in NewestDaysOf(folder, file?.PendingRedactionsFrom))
            {
                AddAll(folder, day);
            }
        }
    }

    /// <summary>None if the folder can't be read: other rooms must not wait for it.</summary>
    /// <param name="first">At the latest, the days begin with this one.</param>
    private List<DateOnly> NewestDaysOf(DirectoryInfo folder, DateOnly? first)
    {
        try
        {
            var days = DayFileName.In(folder.FullName).Where(name => name.IsRecord).Select(name => name.Day).Distinct();
            return [.. days.OrderDescending().Where((day, index) => index < CheckedDays || day >= first)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ReportNotRead($"{folder.Name}: {e.Message}");
            return [];
        }
    }

    private void AddAll(DirectoryInfo folder, DateOnly day)
    {
        var record = DayFileName.Record(day);
        try
        {
            foreach (var line in RecordReader.Lines(Path.Combine(folder.FullName, record.ToString())))
            {
                if (line.Bytes.Span.IndexOf("redact"u8) >= 0 && RoomEvent.FromRecord(line.Bytes) is { } e)
                {
                    Add(e, day);
                }
            }
        }
        catch (FileNotFoundException)
        {
            // Removed meanwhile.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Other rooms must not wait for it.
            ReportNotRead($"{folder.Name}/{record}: {e.Message}");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RedactionNotErased, LogLevel.Warning,
            "Failed to search for redacted events: {Reason}. Their words may stay there; the command erase removes them.")]
        public static partial void NotRead(ILogger logger, string reason);
    }
}
