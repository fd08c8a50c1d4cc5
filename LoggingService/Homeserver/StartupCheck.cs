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
                Log.Well(logger, options.HomeserverText, user.Id, place: 0);
                return;
            }

            if (findings.All(finding => finding.State != CheckState.Trouble))
            {
                Log.WellAsFarAsKnown(logger, options.HomeserverText, user.Id, findings[^1].Text, place: 0);
                return;
            }

            for (var i = 0; i < findings.Count; i++)
            {
                if (told.Count == 0 || told[i] != findings[i])
                {
                    Tell(findings[i], place: i + 1);
                }
            }

            told = findings;
            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private void Tell(CheckResult finding, int place)
    {
        switch (finding.State)
        {
            case CheckState.Well:
                Log.Good(logger, finding.Text, place);
                break;
            case CheckState.Trouble:
                Log.Trouble(logger, finding.Text, place);
                break;
            default:
                Log.StillUnknown(logger, finding.Text, place);
                break;
        }
    }

    // Place: where a terminal shows it, see StatusLineConsoleSink.
    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "The homeserver {Homeserver} knows this service, as {User}, and reaches it.")]
        public static partial void Well(ILogger logger, string homeserver, string? user, int place);

        [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "The homeserver {Homeserver} knows this service, as {User}. Not known: {Unknown}")]
        public static partial void WellAsFarAsKnown(ILogger logger, string homeserver, string? user, string unknown, int place);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Trouble}")]
        public static partial void Trouble(ILogger logger, string trouble, int place);

        [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "{Finding}")]
        public static partial void Good(ILogger logger, string finding, int place);

        [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "Not known yet: {Finding}")]
        public static partial void StillUnknown(ILogger logger, string finding, int place);
    }
}
