using System.Collections.Concurrent;
using LoggingService.Consent;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.RoomLogs;
using LoggingService.Rooms;
using LoggingService.Transactions;

namespace LoggingService.History;

/// <summary>
/// Compares the rooms' histories with their logs where a push may have been lost: at start, after the homeserver could not be reached,
/// after a pause of pushes, and once a day for the rooms that are active. It waits until what the homeserver has queued is pushed. A room
/// that fails stays open (<see cref="OpenRooms"/>) and delays no other.
/// </summary>
internal sealed partial class GapWatch(
    GapFetch gaps, LogDirectory logs, Admission admission, RoomNotes notes, RoomWishes wishes, HomeserverClient homeserver,
    HomeserverContact contact, CheckedTime checkedTime, OpenRooms open, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<GapWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(30);
    private static readonly long Pause = Milliseconds(TimeSpan.FromMinutes(10));
    private static readonly long Day = Milliseconds(TimeSpan.FromDays(1));

    /// <summary>The homeserver has pushed what it had queued when nothing arrived for as long.</summary>
    private static readonly long Quiet = Milliseconds(TimeSpan.FromSeconds(5));

    /// <summary>Events that arrive all the time don't delay a round longer.</summary>
    private static readonly long MaxDelay = Milliseconds(TimeSpan.FromMinutes(5));

    /// <summary>What was queued when the homeserver ended may be older than the last push.</summary>
    private static readonly long Margin = Milliseconds(TimeSpan.FromMinutes(10));

    private readonly ConcurrentDictionary<string, bool> _active = new();
    private GapRound? _due;
    private long? _dueSince;
    private long _lastRound;
    private long _lastPush;
    private long _pausedSince;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private bool IsQuiet => Now - Interlocked.Read(ref _lastPush) >= Quiet;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var now = Now;
        _lastPush = now;
        _lastRound = now;
        _due = new(Math.Min(now - Margin, checkedTime.Read() ?? now));
        open.Load();
        logs.Written += OnWritten;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await lifetime.WhenStartedAsync(stoppingToken);
        using var timer = new PeriodicTimer(Tick, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (Trigger() is { } added)
            {
                _due = GapRound.Merge(_due, added);
                _dueSince = null;
            }

            var isDue = _due is not null || open.AnyDue(Now);
            if (isDue && await IsReadyAsync(isPinged: _due?.LostSince is not null, stoppingToken))
            {
                _dueSince = null;
                if (!await TryRunAsync(stoppingToken))
                {
                    await Task.Delay(Retry, time, stoppingToken);
                }
            }
        }
    }

    private static long Milliseconds(TimeSpan span) => (long)span.TotalMilliseconds;

    /// <summary>Notes when events were pushed; called by the writer.</summary>
    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        var e = lines[^1].Event;
        if (e is not { IsNote: false, FetchedTs: null, ReceivedTs: { } at })
        {
            return;
        }

        _active.TryAdd(e.RoomId, true);
        var last = Interlocked.Read(ref _lastPush);
        if (at > last)
        {
            Interlocked.Exchange(ref _lastPush, at);
            if (at - last > Pause)
            {
                Interlocked.CompareExchange(ref _pausedSince, last, 0);
            }
        }
    }

    /// <summary>The round for which there is a reason.</summary>
    private GapRound? Trigger()
    {
        GapRound? round = null;
        if (contact.TakeLoss() is { } lostSince)
        {
            var lost = Math.Min(lostSince.ToUnixTimeMilliseconds(), Interlocked.Read(ref _lastPush));
            round = new(lost - Margin, LostSince: lost);
        }

        if (Interlocked.Exchange(ref _pausedSince, 0) is > 0 and var pausedSince)
        {
            round = GapRound.Merge(round, new(pausedSince - Margin));
        }

        if (Now - _lastRound >= Day)
        {
            round = GapRound.Merge(round, new((checkedTime.Read() ?? _lastRound) - Margin, IsOfActiveRooms: true));
            _lastRound = Now;
        }

        return round;
    }

    /// <summary>Whether the homeserver has pushed what it has queued. One that was restarted waits for a ping before it does.</summary>
    private async Task<bool> IsReadyAsync(bool isPinged, CancellationToken cancellation)
    {
        if (contact.AnsweredAt is null)
        {
            return false;
        }

        if (!admission.IsOpen)
        {
            // What is refused now is pushed once admission is open.
            _dueSince = null;
            return false;
        }

        if (_dueSince is null)
        {
            if (isPinged && !await TryPingAsync(cancellation))
            {
                await Task.Delay(Retry, time, cancellation);
                return false;
            }

            _dueSince = Now;
        }

        return Now - _dueSince >= Quiet && (IsQuiet || Now - _dueSince >= MaxDelay);
    }

    private async Task<bool> TryPingAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.PingAsync(cancellation);
            return true;
        }
        catch (HomeserverException e)
        {
            // Homeservers without the ping push at once.
            return e.Status == StatusCodes.Status404NotFound;
        }
    }

    /// <summary>Compares the rooms that are due; false if the homeserver or the log directory can't be read now.</summary>
    private async Task<bool> TryRunAsync(CancellationToken cancellation)
    {
        // A room that is repaired after a crash may seem to have no event.
        await logs.CaughtUpAsync().WaitAsync(cancellation);
        var startedAt = Now;
        var round = _due;
        try
        {
            Open(round);
            _due = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.CheckFailed(logger, e.Message);
            return false;
        }

        var isAnswered = await CompareAsync(startedAt, cancellation);
        if (open.TrySave() && round is not null)
        {
            // What the rooms that failed lack is noted for each of them.
            checkedTime.Advance(round.Since, startedAt);
        }

        return isAnswered;
    }

    /// <summary>Opens the rooms of a round.</summary>
    private void Open(GapRound? round)
    {
        if (round is null)
        {
            return;
        }

        var active = _active.Keys.ToList();
        var folders = round.IsOfActiveRooms
            ? active.Select(FolderName.ForRoom)
            : new DirectoryInfo(logs.Root).EnumerateDirectories("!*").Where(room => room.LinkTarget is null).Select(room => room.Name);
        foreach (var folder in folders.ToList())
        {
            open.Add(folder, round);
        }

        foreach (var room in active)
        {
            _active.TryRemove(room, out _);
        }
    }

    /// <summary>Compares the open rooms, one after the other; false if the homeserver does not answer.</summary>
    private async Task<bool> CompareAsync(long startedAt, CancellationToken cancellation)
    {
        var isQuiet = IsQuiet;
        foreach (var room in open.FindDue(startedAt))
        {
            try
            {
                await CompareAsync(room, isQuiet, startedAt, cancellation);
                open.Remove(room.Folder);
            }
            catch (Exception e) when (e is HomeserverException or IOException or UnauthorizedAccessException)
            {
                Log.CheckFailed(logger, e.Message);
                if (e is HomeserverException && !await AnswersAsync(cancellation))
                {
                    return false;
                }

                // The other rooms don't wait for this one.
                open.Postpone(room.Folder, Now);
            }
        }

        return true;
    }

    /// <summary>Whether the homeserver answers a call that concerns no room.</summary>
    private async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.WhoAmIAsync(cancellation);
            return true;
        }
        catch (HomeserverException)
        {
            return false;
        }
    }

    private async Task CompareAsync(OpenRoom room, bool isQuiet, long startedAt, CancellationToken cancellation)
    {
        if (RoomRecords.FindLast(Path.Combine(logs.Root, room.Folder)) is { } last
            && last is not { IsNote: true, Type: Note.LoggingStopped }
            && !wishes.Get(last.RoomId).IsPaused
            && !await gaps.RunAsync(last.RoomId, room.Round.Since, isQuiet, cancellation))
        {
            await NoteMissingAsync(room.Round, last, startedAt);
        }
    }

    private async Task NoteMissingAsync(GapRound round, RoomEvent last, long startedAt)
    {
        // Only where events are to be expected: a room that is silent for days would get the note at each restart of the homeserver.
        if (round.LostSince is { } lostSince && last.ReceivedTs > lostSince - Day)
        {
            await notes.LogAsync(Note.Create(Note.EventsMissing, last.RoomId, $"{lostSince}", content =>
            {
                content.WriteNumber("from", lostSince);
                content.WriteNumber("to", startedAt);
            }));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.GapCheckFailed, LogLevel.Information,
            "Failed to compare the history of a room with its log: {Reason}. It is repeated.")]
        public static partial void CheckFailed(ILogger logger, string reason);
    }
}
