using LoggingService.Registration;

namespace LoggingService.Cli;

/// <summary>The log messages of the service's start and stop.</summary>
internal static partial class StartupMessages
{
    /// <summary>Logs configuration warnings at once; the rest when the host has started and stopped.</summary>
    public static void Register(WebApplication app, LoggingServiceOptions options, AppServiceRegistration registration)
    {
        foreach (var warning in registration.Warnings)
        {
            Log.ConfigurationWarning(app.Logger, warning.Location, warning.Key, warning.Reason);
        }

        app.Lifetime.ApplicationStarted.Register(() =>
        {
            Log.Listening(app.Logger, string.Join(", ", app.Urls), registration.PathBase, options.HomeserverText, options.Registration);
            Log.WritingLogs(app.Logger, options.Logs);
        });
        app.Lifetime.ApplicationStopped.Register(() => Log.ServiceStopped(app.Logger));
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigurationWarning, LogLevel.Warning, "Configuration warning: {Location}: {Key} {Reason}")]
        public static partial void ConfigurationWarning(ILogger logger, string location, string key, string reason);

        [LoggerMessage(EventIds.Listening, LogLevel.Information,
            "Listening on {Urls}{PathBase} for homeserver {Homeserver} with registration {Registration}")]
        public static partial void Listening(ILogger logger, string urls, string pathBase, string homeserver, string registration);

        [LoggerMessage(EventIds.WritingLogs, LogLevel.Information, "Writing logs to {Logs}")]
        public static partial void WritingLogs(ILogger logger, string logs);

        [LoggerMessage(EventIds.ServiceStopped, LogLevel.Information, "Service stopped")]
        public static partial void ServiceStopped(ILogger logger);
    }
}
