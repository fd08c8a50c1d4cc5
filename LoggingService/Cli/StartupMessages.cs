using LoggingService.Logging;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Cli;

/// <summary>What the service says of itself when it starts and when it has stopped.</summary>
internal static partial class StartupMessages
{
    /// <summary>Says what is odd about the configuration now and, once it listens: where it listens, for whom, and where it writes; and at last, that it has stopped.</summary>
    public static void Say(WebApplication app, LoggingServiceOptions options, AppServiceRegistration registration)
    {
        foreach (var warning in registration.Warnings)
        {
            Log.Odd(app.Logger, warning);
        }

        app.Lifetime.ApplicationStarted.Register(() =>
        {
            Log.Listening(app.Logger, string.Join(", ", app.Urls), registration.PathBase, options.HomeserverText, options.Registration);
            Log.Writing(app.Logger, options.Logs);
        });
        app.Lifetime.ApplicationStopped.Register(() => Log.Stopped(app.Logger));
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "{Warning}")]
        public static partial void Odd(ILogger logger, string warning);

        [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "Listening on {Urls}{PathBase} for the homeserver {Homeserver}, with the registration {Registration}.")]
        public static partial void Listening(ILogger logger, string urls, string pathBase, string homeserver, string registration);

        [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "The logs are in {Logs}.")]
        public static partial void Writing(ILogger logger, string logs);

        [LoggerMessage(EventId = EventIds.ServiceStopped, Level = LogLevel.Information, Message = "Stopped.")]
        public static partial void Stopped(ILogger logger);
    }
}
