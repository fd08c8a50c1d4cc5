using LoggingService.Registration;

namespace LoggingService.Cli;

/// <summary>The messages of the service's start and stop.</summary>
internal static partial class StartupMessages
{
    /// <summary>Writes to standard output how to connect the homeserver. A full disk there does not end the start.</summary>
    public static void WriteNextSteps(string registration)
    {
        try
        {
            Console.WriteLine(RegistrationGenerator.NextSteps(registration));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // docs/install.md has them, too.
        }
    }

    /// <summary>Logs what in the configuration is probably unintended.</summary>
    public static void LogWarnings(WebApplication app, AppServiceRegistration registration)
    {
        foreach (var warning in registration.Warnings)
        {
            Log.ConfigurationWarning(app.Logger, warning.Location, warning.Key, warning.Reason);
        }

        if (FindUnknownTimeZone() is { } zone)
        {
            Log.TimeZoneUnknown(app.Logger, zone);
        }

        ServiceLog.WarnOfSerilogSection(app.Logger, app.Configuration);
    }

    /// <summary>Logs the effective settings when the host has started, and the stop.</summary>
    public static void Register(WebApplication app, LoggingServiceOptions options, AppServiceRegistration registration)
    {
        var time = app.Services.GetRequiredService<TimeProvider>();
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            Log.Listening(app.Logger, string.Join(", ", app.Urls), registration.PathBase, options.HomeserverText, options.Registration);
            Log.WritingLogs(app.Logger, options.Logs, time.LocalTimeZone.Id, $"{time.GetLocalNow():zzz}");
            LogLimits(app.Logger, options);
        });
        app.Lifetime.ApplicationStopped.Register(() => Log.ServiceStopped(app.Logger));
    }

    public static void LogLimits(ILogger logger, LoggingServiceOptions options)
    {
        var retention = options.RetainDays switch
        {
            null => "all days",
            1 => "1 day",
            var days => $"{days} days",
        };
        Log.Limits(logger, retention, options.RoomsPerHour, SettingReader.FormatSize(options.MaxBodyBytes));
    }

    /// <summary>The value of TZ, if it is no zone for .NET, which then uses UTC without an error; <c>date</c> may understand it.</summary>
    private static string? FindUnknownTimeZone()
    {
        var name = Environment.GetEnvironmentVariable("TZ") ?? "";
        var zone = name.StartsWith(':') ? name[1..] : name;
        var isKnown = Path.IsPathRooted(zone) ? File.Exists(zone) : TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _);
        return zone.Length == 0 || isKnown ? null : name;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigurationWarning, LogLevel.Warning, "Configuration warning: {Location}: {Key} {Reason}")]
        public static partial void ConfigurationWarning(ILogger logger, string location, string key, string reason);

        [LoggerMessage(EventIds.TimeZoneUnknown, LogLevel.Warning,
            "TZ is {TimeZone}, which is no name in this machine's time zone database: using UTC. Set TZ to a name such as Europe/Berlin.")]
        public static partial void TimeZoneUnknown(ILogger logger, string timeZone);

        [LoggerMessage(EventIds.Listening, LogLevel.Information,
            "Listening on {Urls}{PathBase} for homeserver {Homeserver} with registration {Registration}")]
        public static partial void Listening(ILogger logger, string urls, string pathBase, string homeserver, string registration);

        [LoggerMessage(EventIds.WritingLogs, LogLevel.Information, "Writing logs to {Logs} in the time zone {TimeZone} (now {Offset})")]
        public static partial void WritingLogs(ILogger logger, string logs, string timeZone, string offset);

        [LoggerMessage(EventIds.Limits, LogLevel.Information,
            "Keeping {Retention}, creating up to {RoomsPerHour} rooms an hour, accepting transactions of up to {MaxBodyBytes}")]
        public static partial void Limits(ILogger logger, string retention, int roomsPerHour, string maxBodyBytes);

        [LoggerMessage(EventIds.ServiceStopped, LogLevel.Information, "Service stopped")]
        public static partial void ServiceStopped(ILogger logger);
    }
}
