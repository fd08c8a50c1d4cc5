using LoggingService.Logging;
using LoggingService.Options;

namespace LoggingService.Homeserver;

/// <summary>
/// Checks at start, and until all is well, whether the homeserver and the service know each other, and tells the admin
/// what is still waited for. The service serves meanwhile.
/// </summary>
internal sealed partial class StartupCheck(
    ConnectionCheck check, ServiceUser user, LoggingServiceOptions options,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<StartupCheck> logger) : BackgroundService
{
    // Of ConnectionCheck, in its order.
    private static readonly string[] Checks = ["homeserver", "registration", "ping"];

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The homeserver is asked to call us: we must be listening.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var whenStarted = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);

        IReadOnlyList<CheckResult> told = [];
        for (var pause = TimeSpan.FromSeconds(2); ; pause = pause * 2 > LongestPause ? LongestPause : pause * 2)
        {
            var findings = await check.RunAsync(stoppingToken);
            if (findings.All(finding => finding.State == CheckState.Well))
            {
                Log.Well(logger, options.HomeserverText, user.Id);
                return;
            }

            if (findings.All(finding => finding.State != CheckState.Trouble))
            {
                Log.WellAsFarAsKnown(logger, options.HomeserverText, user.Id, findings[^1].Text);
                return;
            }

            for (var i = 0; i < findings.Count; i++)
            {
                if (told.Count == 0 || told[i] != findings[i])
                {
                    Tell(findings[i], Checks[i]);
                }
            }

            told = findings;
            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private void Tell(CheckResult finding, string check)
    {
        switch (finding.State)
        {
            case CheckState.Well:
                Log.Good(logger, check, finding.Text);
                break;
            case CheckState.Trouble:
                Log.Trouble(logger, check, finding.Text);
                break;
            default:
                Log.StillUnknown(logger, check, finding.Text);
                break;
        }
    }

    // The property Check: StatusLineConsoleSink keeps one line for each.
    private static partial class Log
    {
        [LoggerMessage(EventId = EventIds.HomeserverConnected, Level = LogLevel.Information,
            Message = "The homeserver {Homeserver} knows this service, as {User}, and reaches it.")]
        public static partial void Well(ILogger logger, string homeserver, string? user);

        [LoggerMessage(EventId = EventIds.HomeserverPartlyChecked, Level = LogLevel.Information,
            Message = "The homeserver {Homeserver} knows this service, as {User}. Not known: {Unknown}")]
        public static partial void WellAsFarAsKnown(ILogger logger, string homeserver, string? user, string unknown);

        [LoggerMessage(EventId = EventIds.CheckFailed, Level = LogLevel.Warning, Message = "{Trouble}")]
        public static partial void Trouble(ILogger logger, string Check, string trouble);

        [LoggerMessage(EventId = EventIds.CheckPassed, Level = LogLevel.Information, Message = "{Finding}")]
        public static partial void Good(ILogger logger, string Check, string finding);

        [LoggerMessage(EventId = EventIds.CheckPending, Level = LogLevel.Information, Message = "Not known yet: {Finding}")]
        public static partial void StillUnknown(ILogger logger, string Check, string finding);
    }
}
