using System.Collections.Concurrent;
using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// Asks the homeserver for the aliases of rooms, in the background: of a room that is new, whose canonical alias changed, that has a known
/// alias, once a minute, and, while it is active and our user is a member, once a minute. One check a room is scheduled at a time.
/// </summary>
internal sealed partial class AliasChecks(
    AliasSearch search, RoomAliases aliases, ServiceUser user, TimeProvider time, ILogger<AliasChecks> logger) : BackgroundService
{
    /// <summary>Between two checks of an active room, and within which a room's hints are limited.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Between two polls, on average: of more than 600 rooms, each is polled less than once a minute.</summary>
    private static readonly TimeSpan PollDistance = TimeSpan.FromSeconds(0.1);

    private readonly ConcurrentDictionary<string, Check> _checks = new();
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Check, long> _due = new();
    private TaskCompletionSource _scheduled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Receives the result of each check: whether the room has a logged alias, <c>null</c> if that is not known.</summary>
    public Func<string, bool?, CancellationToken, Task> Checked { private get; set; } = static (_, _, _) => Task.CompletedTask;

    /// <summary>Raised behind <see cref="Checked"/>, with the room id.</summary>
    public event Action<string>? Completed;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        aliases.Moved += (_, former, _) => Schedule(former, []);
        aliases.Confirmed += (_, roomId) => SchedulePoll(roomId);
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Schedules the checks that logged events cause.</summary>
    public void Enqueue(RoomEvent e)
    {
        if (e is { Type: "m.room.canonical_alias", StateKey: "" } or { Type: "m.room.aliases", StateKey: not null })
        {
            Schedule(e.RoomId, [.. AliasSearch.GetHints(e.Content)]);
        }
        else if (e is { Type: "m.room.history_visibility", StateKey: "" })
        {
            // Where it is world readable, the homeserver lists the aliases for all.
            Schedule(e.RoomId, []);
        }
        else if (!_checks.TryGetValue(e.RoomId, out var check))
        {
            Schedule(e.RoomId, []);
        }
        else if (user.IsJoinedTo(e.RoomId) && check.DueAt is null)
        {
            ScheduleNext(check);
        }
    }

    /// <summary>Schedules a check at once.</summary>
    /// <param name="hints">Aliases that the room may have; they replace earlier ones.</param>
    public void Schedule(string roomId, IReadOnlyList<RoomAlias> hints)
    {
        var check = _checks.GetOrAdd(roomId, static id => new(id));
        lock (_lock)
        {
            check.IsPoll = false;
            if (hints.Count > 0)
            {
                check.Hints = hints;
            }

            var now = time.GetTimestamp();
            if (check.HintsSince is not { } since || time.GetElapsedTime(since, now) >= Interval)
            {
                check.HintsSince = now;
                check.HintsUsed = 0;
            }

            Schedule(check, check.HintsUsed < AliasSearch.MaxHints ? now : After(check.HintsSince.Value, Interval));
        }
    }

    /// <summary>Notes that a room was asked for elsewhere, or that we created it: its next check is a minute away.</summary>
    public void SetChecked(string roomId)
    {
        var check = _checks.GetOrAdd(roomId, static id => new(id));
        check.CheckedAt = time.GetTimestamp();
        ScheduleNext(check);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await await Task.WhenAny(RunChecksAsync(stoppingToken), ResolveAskedAsync(stoppingToken));

    private async Task ResolveAskedAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await search.ResolveAskedAsync(stoppingToken);
            }
            catch (HomeserverException)
            {
                // The next minute.
            }
        }
    }

    private async Task RunChecksAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            var check = await TakeAsync(stoppingToken);
            IReadOnlyList<RoomAlias> hints;
            bool isPoll;
            lock (_lock)
            {
                isPoll = check.IsPoll;
                check.IsPoll = false;
                hints = check.Hints;
                check.Hints = [];
                check.HintsUsed += Math.Min(hints.Count, AliasSearch.MaxHints);
            }

            try
            {
                await user.EnsureIdentifiedAsync(stoppingToken);
                var hasAlias = await search.FindAsync(check.RoomId, hints, stoppingToken, isPoll);
                check.CheckedAt = time.GetTimestamp();
                await Checked(check.RoomId, hasAlias, stoppingToken);
                Completed?.Invoke(check.RoomId);
            }
            catch (HomeserverException e) when (e.IsTransient || user.Id is null)
            {
                // Before the pause: events in it need not schedule the check again.
                Retry(check, hints);
                await Task.Delay(HomeserverResilience.Cooldown, time, stoppingToken);
            }
            catch (HomeserverException e)
            {
                check.CheckedAt = time.GetTimestamp();
                Log.AliasQueryFailed(logger, check.RoomId, e.Message);
                if (aliases.GetAlias(check.RoomId) is not null)
                {
                    SchedulePoll(check.RoomId);
                }
            }
        }
    }

    /// <summary>Schedules the next check of a room with an alias, unless one is scheduled.</summary>
    private void SchedulePoll(string roomId)
    {
        var check = _checks.GetOrAdd(roomId, static id => new(id));
        lock (_lock)
        {
            if (check.DueAt is null)
            {
                check.IsPoll = true;
                var distance = PollDistance * aliases.Count;
                Schedule(check, After(time.GetTimestamp(), distance > Interval ? distance : Interval));
            }
        }
    }

    private void ScheduleNext(Check check)
    {
        lock (_lock)
        {
            Schedule(check, check.CheckedAt is { } at ? After(at, Interval) : time.GetTimestamp());
        }
    }

    private void Retry(Check check, IReadOnlyList<RoomAlias> hints)
    {
        lock (_lock)
        {
            check.Hints = check.Hints.Count > 0 ? check.Hints : hints;
            check.HintsUsed = 0;
            Schedule(check, time.GetTimestamp());
        }
    }

    private void Schedule(Check check, long dueAt)
    {
        if (check.DueAt is null || dueAt < check.DueAt)
        {
            check.DueAt = dueAt;
            _due.Enqueue(check, dueAt);
            _scheduled.TrySetResult();
        }
    }

    private long After(long timestamp, TimeSpan delay) => timestamp + (long)(delay.TotalSeconds * time.TimestampFrequency);

    /// <summary>Waits for the next check that is due.</summary>
    private async Task<Check> TakeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            TimeSpan delay;
            Task scheduled;
            lock (_lock)
            {
                delay = Timeout.InfiniteTimeSpan;
                while (_due.TryPeek(out var check, out var dueAt))
                {
                    if (check.DueAt != dueAt)
                    {
                        // It was scheduled earlier since.
                        _due.Dequeue();
                        continue;
                    }

                    delay = time.GetElapsedTime(time.GetTimestamp(), dueAt);
                    if (delay > TimeSpan.Zero)
                    {
                        break;
                    }

                    _due.Dequeue();
                    check.DueAt = null;
                    return check;
                }

                _scheduled = new(TaskCreationOptions.RunContinuationsAsynchronously);
                scheduled = _scheduled.Task;
            }

            await scheduled.WaitAsync(delay, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private sealed class Check(string roomId)
    {
        public string RoomId => roomId;

        /// <summary>When the check is scheduled, as a timestamp; <c>null</c> if it is not.</summary>
        public long? DueAt { get; set; }

        /// <summary>Whether the scheduled check has no other cause than the time since the last one.</summary>
        public bool IsPoll { get; set; }

        /// <summary>The last check that the homeserver responded to.</summary>
        public long? CheckedAt { get; set; }

        public IReadOnlyList<RoomAlias> Hints { get; set; } = [];

        public long? HintsSince { get; set; }

        public int HintsUsed { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AliasQueryFailed, LogLevel.Debug, "Failed to query the aliases of {RoomId}: {Reason}")]
        public static partial void AliasQueryFailed(ILogger logger, string roomId, string reason);
    }
}
