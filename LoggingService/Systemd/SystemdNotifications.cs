using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Hosting.Systemd;

namespace LoggingService.Systemd;

/// <summary>
/// Notifies systemd (sd_notify(3)) that the service is ready or stops, that a long replay of the journal needs more time, and, for the
/// watchdog, that the journal and the writer make progress. The first hosted service: it runs while the others start.
/// </summary>
internal sealed partial class SystemdNotifications(
    ISystemdNotifier systemd, LogDirectory logs, IHostApplicationLifetime lifetime, ILogger<SystemdNotifications> logger)
    : BackgroundService
{
    private static readonly TimeSpan MaxInterval = TimeSpan.FromSeconds(5);

    /// <summary>systemd waits this long for the next request.</summary>
    private static readonly TimeSpan Extension = TimeSpan.FromMinutes(1);

    private readonly TimeSpan? _watchdog = WatchdogTimeout.Read();
    private long _replayed;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // STATUS= clears what the replay reported.
        lifetime.ApplicationStarted.Register(() => Notify("READY=1\nSTATUS="));
        lifetime.ApplicationStopping.Register(() => Notify("STOPPING=1"));
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_watchdog is { } watchdog && watchdog / 4 < MaxInterval ? watchdog / 4 : MaxInterval);
        while (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(stoppingToken);
            ReportReplay();
        }

        if (_watchdog is { } timeout)
        {
            await NotifyWatchdogAsync(timer, timeout, stoppingToken);
        }
    }

    private async Task NotifyWatchdogAsync(PeriodicTimer timer, TimeSpan timeout, CancellationToken stoppingToken)
    {
        List<(string Name, ProgressProbe Probe)> parts = [("journal", logs.ProbeJournal()), ("writer", logs.ProbeWriter())];
        var notifiedAt = Stopwatch.GetTimestamp();
        var isLogged = false;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var stalled = string.Join(" and the ", parts.Where(part => !part.Probe.HasProgressed()).Select(part => part.Name));
            if (stalled.Length == 0)
            {
                Notify("WATCHDOG=1\nSTATUS=");
                notifiedAt = Stopwatch.GetTimestamp();
                if (isLogged)
                {
                    Log.Progressing(logger);
                    isLogged = false;
                }

                continue;
            }

            Notify($"STATUS=The {stalled} makes no progress");
            if (!isLogged && Stopwatch.GetElapsedTime(notifiedAt) > timeout / 2)
            {
                Log.Stalled(logger, stalled, (timeout / 2).TotalSeconds, timeout.TotalSeconds);
                isLogged = true;
            }
        }
    }

    private void ReportReplay()
    {
        var replayed = logs.ReplayedFrames;
        if (replayed == 0)
        {
            return;
        }

        var extension = replayed == _replayed ? "" : $"\nEXTEND_TIMEOUT_USEC={(long)Extension.TotalMicroseconds}";
        _replayed = replayed;
        Notify(string.Create(CultureInfo.InvariantCulture, $"STATUS=Replaying the journal: {replayed} frames read{extension}"));
    }

    private void Notify(string state)
    {
        try
        {
            systemd.Notify(new ServiceState(state));
        }
        catch (SocketException e)
        {
            Log.NotificationFailed(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.Stalled, LogLevel.Error,
            "The {Part} has made no progress for {Seconds} s: the disk may hang. After {Timeout} s systemd restarts the service.")]
        public static partial void Stalled(ILogger logger, string part, double seconds, double timeout);

        [LoggerMessage(EventIds.Progressing, LogLevel.Information, "The journal and the writer make progress again")]
        public static partial void Progressing(ILogger logger);

        [LoggerMessage(EventIds.NotificationFailed, LogLevel.Warning, "Failed to notify systemd: {Reason}")]
        public static partial void NotificationFailed(ILogger logger, string reason);
    }
}
