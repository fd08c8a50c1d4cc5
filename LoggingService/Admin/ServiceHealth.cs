using LoggingService.Homeserver;
using LoggingService.RoomLogs;
using LoggingService.Transactions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoggingService.Admin;

/// <summary>The checks of <c>/health/ready</c>. A homeserver that does not answer is no failure of this service: degraded.</summary>
internal sealed class ServiceHealth
{
    private readonly LogDirectory _logs;
    private readonly Admission _admission;
    private readonly TransactionEndpoint _transactions;
    private readonly JournalProbe _journal;
    private readonly HomeserverContact _homeserver;
    private volatile bool _isRecovered;

    public ServiceHealth(
        LogDirectory logs, Admission admission, TransactionEndpoint transactions, JournalProbe journal, HomeserverContact homeserver,
        IHostApplicationLifetime lifetime)
    {
        _logs = logs;
        _admission = admission;
        _transactions = transactions;
        _journal = journal;
        _homeserver = homeserver;
        lifetime.ApplicationStarted.Register(() => _ = WaitForRecoveryAsync());
    }

    private IEnumerable<(string Name, Func<Task<HealthCheckResult>> Check)> Checks =>
    [
        ("journal", CheckJournalAsync),
        ("space", () => Task.FromResult(CheckSpace())),
        ("backlog", () => Task.FromResult(CheckBacklog())),
        ("rooms", () => Task.FromResult(CheckRooms())),
        ("recovery", () => Task.FromResult(CheckRecovery())),
        ("homeserver", () => Task.FromResult(CheckHomeserver())),
    ];

    public void AddTo(IHealthChecksBuilder builder)
    {
        foreach (var (name, check) in Checks)
        {
            builder.AddAsyncCheck(name, check);
        }
    }

    /// <summary>Runs the checks, for a metric: on a disk that hangs it takes 5 s.</summary>
    public IEnumerable<(string Name, HealthStatus Status)> Read() =>
        Checks.Select(check => (check.Name, check.Check().GetAwaiter().GetResult().Status));

    private async Task<HealthCheckResult> CheckJournalAsync() =>
        Result(await _journal.FindErrorAsync() ?? _transactions.AppendError, []);

    private HealthCheckResult CheckSpace()
    {
        var (free, required) = _admission.Space;
        var reason = free.Bytes < required ? "the disk is almost full"
            : free.Inodes < _admission.MinFreeInodes ? "the disk has almost no free inodes"
            : null;
        return Result(reason, new()
        {
            ["free_bytes"] = free.Bytes,
            ["required_bytes"] = required,
            ["free_inodes"] = free.Inodes,
            ["required_inodes"] = _admission.MinFreeInodes,
        });
    }

    private HealthCheckResult CheckBacklog()
    {
        var backlog = _admission.Backlog;
        var reason = backlog.Bytes > _admission.MaxBacklogBytes ? "the backlog is too large"
            : backlog.OldestAge > _admission.MaxOldestAge ? "the oldest entry of the backlog has waited too long"
            : null;
        return Result(reason, new()
        {
            ["bytes"] = backlog.Bytes,
            ["max_bytes"] = _admission.MaxBacklogBytes,
            ["age_seconds"] = backlog.OldestAge.TotalSeconds,
            ["max_age_seconds"] = _admission.MaxOldestAge.TotalSeconds,
        });
    }

    private HealthCheckResult CheckRooms()
    {
        var rooms = _logs.RoomCounts;
        var reason = rooms.Parked == 0 ? null : "files of rooms cannot be written; the log of the service names them";
        return Result(reason, new() { ["open"] = (long)rooms.Open, ["parked"] = (long)rooms.Parked });
    }

    private HealthCheckResult CheckRecovery() => Result(_isRecovered ? null : "the journal is replayed, and rooms are repaired", []);

    private HealthCheckResult CheckHomeserver()
    {
        var data = new Dictionary<string, object>();
        if (_homeserver.AnsweredAt is { } time)
        {
            data["answered_at"] = time;
        }

        var reason = _homeserver.Error ?? (_homeserver.AnsweredAt is null ? "no answer yet" : null);
        return reason is null ? HealthCheckResult.Healthy(data: data) : HealthCheckResult.Degraded(reason, data: data);
    }

    private static HealthCheckResult Result(string? reason, Dictionary<string, object> data) =>
        reason is null ? HealthCheckResult.Healthy(data: data) : HealthCheckResult.Unhealthy(reason, data: data);

    private async Task WaitForRecoveryAsync()
    {
        await _logs.CaughtUpAsync();
        _isRecovered = true;
    }
}
