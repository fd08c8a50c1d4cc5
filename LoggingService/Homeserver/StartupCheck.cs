using LoggingService.Http;

namespace LoggingService.Homeserver;

/// <summary>Runs <see cref="ConnectionCheck"/> at startup until it passes, and logs each change. Requests are served meanwhile.</summary>
internal sealed partial class StartupCheck(
    ConnectionCheck check, ServiceUser user, LoggingServiceOptions options,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<StartupCheck> logger) : BackgroundService
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await lifetime.WhenStartedAsync(stoppingToken);
        IReadOnlyList<CheckResult> logged = [];
        var delay = TimeSpan.FromSeconds(2);
        while (true)
        {
            var results = await check.RunAsync(stoppingToken);
            if (results.All(result => result.State == CheckState.Ok))
            {
                Log.HomeserverConnected(logger, options.HomeserverText, user.Id);
                return;
            }

            if (results.All(result => result.State != CheckState.Failed))
            {
                var unknown = results.First(result => result.State == CheckState.Unknown);
                Log.HomeserverPartlyChecked(logger, options.HomeserverText, user.Id, unknown.Check, unknown.Target, unknown.Reason);
                return;
            }

            foreach (var result in results.Except(logged))
            {
                LogResult(result);
            }

            logged = results;
            await Task.Delay(delay, time, stoppingToken);
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, MaxDelay.Ticks));
        }
    }

    private void LogResult(CheckResult result)
    {
        switch (result.State)
        {
            case CheckState.Ok:
                Log.CheckPassed(logger, result.Check, result.Target);
                break;
            case CheckState.Failed:
                Log.CheckFailed(logger, result.Check, result.Target, result.Reason, result.Advice);
                break;
            default:
                Log.CheckPending(logger, result.Check, result.Target);
                break;
        }
    }

    // On a terminal, StatusLineConsoleSink shows the last message of each check as a status line.
    private static partial class Log
    {
        [LoggerMessage(EventIds.CheckPassed, LogLevel.Information, "The {Check} check passed for {Target}")]
        public static partial void CheckPassed(ILogger logger, string check, string target);

        [LoggerMessage(EventIds.CheckFailed, LogLevel.Warning, "The {Check} check failed for {Target}: {Reason}. {Advice}.")]
        public static partial void CheckFailed(ILogger logger, string check, string target, string reason, string advice);

        [LoggerMessage(EventIds.CheckPending, LogLevel.Information, "The {Check} check is pending for {Target}")]
        public static partial void CheckPending(ILogger logger, string check, string target);

        [LoggerMessage(EventIds.HomeserverConnected, LogLevel.Information,
            "The homeserver {Homeserver} knows this service as {User} and reaches it")]
        public static partial void HomeserverConnected(ILogger logger, string homeserver, string? user);

        [LoggerMessage(EventIds.HomeserverPartlyChecked, LogLevel.Information,
            "The homeserver {Homeserver} knows this service as {User}. The {Check} check is inconclusive for {Target}: {Reason}.")]
        public static partial void HomeserverPartlyChecked(
            ILogger logger, string homeserver, string? user, string check, string target, string reason);
    }
}
