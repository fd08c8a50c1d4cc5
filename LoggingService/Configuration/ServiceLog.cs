using LoggingService.Http;
using LoggingService.RoomLogs;
using Serilog;
using Serilog.Events;

namespace LoggingService.Configuration;

/// <summary>The service's own log: what an admin needs to know, and nothing of the framework's chatter.</summary>
public static class ServiceLog
{
    /// <summary>
    /// Logs to the console; levels and further sinks are the configuration's, in the section <c>Serilog</c>. What the rooms
    /// say is shown on a terminal only: a system's journal doesn't get it unasked.
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
            .WriteTo.Console(outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}")
            .ReadFrom.Configuration(configuration),
        preserveStaticLogger: true);
}
