using LoggingService.Http;
using LoggingService.Lines;
using LoggingService.RoomLogs;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace LoggingService.Configuration;

/// <summary>The service's own log: what an admin needs to know, and nothing of the framework's chatter.</summary>
public static class ServiceLog
{
    /// <summary>
    /// Logs to the console; levels and further sinks are the configuration's, in the section <c>Serilog</c>. What the rooms
    /// say is shown on a terminal only: a system's journal doesn't get it unasked. A terminal that is stopped holds nothing up.
    /// </summary>
    /// <param name="services">The service's.</param>
    /// <param name="configuration">All that is configured.</param>
    public static IServiceCollection AddServiceLog(this IServiceCollection services, IConfiguration configuration) => services.AddSerilog(
        logger => logger
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.AspNetCore.Diagnostics", LogEventLevel.Fatal)
            .MinimumLevel.Override("Microsoft.AspNetCore.Hosting.Diagnostics", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Warning)
            .MinimumLevel.Override("System.Net.Http", LogEventLevel.Warning)
            .MinimumLevel.Override(typeof(HomeserverAuthentication).FullName!, LogEventLevel.Warning)
            .MinimumLevel.Override("Polly", LogEventLevel.Fatal)
            .MinimumLevel.Override(RoomActivity.Source, Console.IsOutputRedirected ? LogEventLevel.Fatal : LogEventLevel.Information)
            .Filter.ByExcluding(logged => logged.Exception is OperationCanceledException) // A service that is stopped before it has begun is no failure.
            .Enrich.With<SafeProperties>()
            .WriteTo.Async(sinks => sinks.Console(outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}"))
            .ReadFrom.Configuration(configuration),
        preserveStaticLogger: true);
}

/// <summary>
/// Makes what others chose safe in every line of the service's own log: an alias may hold line breaks and escape sequences,
/// and anybody can make the homeserver ask for one.
/// </summary>
internal sealed class SafeProperties : ILogEventEnricher
{
    /// <inheritdoc/>
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        foreach (var (name, value) in logEvent.Properties.ToArray())
        {
            if (value is ScalarValue { Value: string text } && SafeText.Of(text) is var safe && safe != text)
            {
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, new ScalarValue(safe)));
            }
        }
    }
}
