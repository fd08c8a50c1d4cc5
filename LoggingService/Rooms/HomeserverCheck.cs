using LoggingService.Configuration;

namespace LoggingService.Rooms;

/// <summary>
/// Whether the homeserver and the service know each other, asked at start and until all of it is well: does it answer,
/// does it know our as_token, does our user exist, does it reach us. The service serves meanwhile. A ping that works also
/// makes a homeserver send at once what waited for us.
/// </summary>
public sealed partial class HomeserverCheck(
    Homeserver homeserver, OwnUser user, Registration registration, LoggingServiceOptions options,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<HomeserverCheck> logger) : BackgroundService
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The homeserver is asked to call us: we must be listening.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var whenStarted = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);

        string? told = null;
        for (var pause = TimeSpan.FromSeconds(2); ; pause = pause * 2 > LongestPause ? LongestPause : pause * 2)
        {
            var trouble = await FindTroubleAsync(stoppingToken);
            if (trouble is null)
            {
                Log.Well(logger, options.Homeserver, user.Id);
                return;
            }

            if (trouble != told)
            {
                Log.Trouble(logger, trouble);
                told = trouble;
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    /// <summary>The first thing that is wrong, and what to do; <c>null</c> where all is well.</summary>
    private async Task<string?> FindTroubleAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.VersionsAsync(cancellation);
        }
        catch (HomeserverException e) when (e.Errcode == "M_UNKNOWN_TOKEN")
        {
            // A homeserver all right, and one that minds the token even here: what follows will tell.
        }
        catch (HomeserverException e)
        {
            return e.Status is null
                ? $"The homeserver can't be reached at {options.Homeserver} ({e.Reason}). Is it running? If it listens elsewhere, say where: --homeserver URL."
                : $"What answers at {options.Homeserver} is no Matrix homeserver ({e.Status} {e.Reason}). Say where its client API is: --homeserver URL.";
        }

        try
        {
            await homeserver.EnsureRegisteredAsync(cancellation);
            await user.AskAsync(cancellation);
        }
        catch (HomeserverException e) when (e.Status is 401 or 403)
        {
            return $"The homeserver doesn't know the as_token of {options.Registration} ({e.Errcode} {e.Reason}). Add its copy of the file to app_service_config_files in homeserver.yaml and restart it.";
        }
        catch (HomeserverException e)
        {
            return $"The homeserver didn't let {registration.SenderLocalpart} in: {e.Message}";
        }

        try
        {
            await homeserver.PingAsync(cancellation);
            return null;
        }
        catch (HomeserverException e)
        {
            return e switch
            {
                // An older homeserver, which has no such call.
                { Status: 404 or 405 } or { Errcode: "M_UNRECOGNIZED" } => null,
                { Errcode: "M_BAD_STATUS" } => $"The homeserver reaches this service with another hs_token than that of {options.Registration}: give it this file anew and restart it. ({e.Reason})",
                { Errcode: "M_CONNECTION_FAILED" or "M_CONNECTION_TIMEOUT" } => $"The homeserver can't reach this service at {registration.Url}, the url of the registration: it must be one at which the homeserver finds this machine. ({e.Reason})",
                { Status: 403 } => $"The homeserver knows the as_token by another id than {registration.Id}: give it {options.Registration} anew and restart it. ({e.Reason})",
                _ => $"The homeserver could not be asked to call this service: {e.Message}",
            };
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "The homeserver {Homeserver} knows this service, as {User}, and reaches it.")]
        public static partial void Well(ILogger logger, Uri homeserver, string? user);

        [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Trouble}")]
        public static partial void Trouble(ILogger logger, string trouble);
    }
}
