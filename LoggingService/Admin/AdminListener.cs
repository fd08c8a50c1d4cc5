using LoggingService.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace LoggingService.Admin;

/// <summary>
/// A web server of its own for the admin: <c>/health/live</c>, <c>/health/ready</c>, <c>/metrics</c>. It starts before the recovery and
/// stops after the web server for the homeserver, which knows none of these paths. It requires no token.
/// </summary>
internal sealed partial class AdminListener(
    ListenAddress address, IReadOnlyList<ListenAddress> homeserverAddresses, ServiceHealth health, MetricsExport metrics,
    ILoggerFactory loggers, ILogger<AdminListener> logger) : IHostedService
{
    private const int MaxConnections = 50;
    private const int MaxRequestBytes = 1024;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);
    private WebApplication? _server;

    /// <summary>Where it listens, with the port that was assigned for port 0; <c>null</c> before the start.</summary>
    public string? Url { get; private set; }

    /// <summary>Where it can't listen, the service logs rooms without it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (homeserverAddresses.Any(address.Overlaps))
        {
            Log.NotListening(logger, address.Url, address.Setting, "the address is that of the port for the homeserver");
            return;
        }

        var server = Build();
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (Exception e) when (WebServer.DescribeBindError(e) is { } reason)
        {
            await server.DisposeAsync();
            Log.NotListening(logger, address.Url, address.Setting, reason);
            return;
        }

        _server = server;
        Url = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Log.Listening(logger, Url);
        if (!address.IsLocal)
        {
            Log.Public(logger, Url, address.Setting);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _server, null) is { } server)
        {
            await server.StopAsync(cancellationToken);
            await server.DisposeAsync();
        }
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls(address.Url).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBytes;
            kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        });
        builder.Services.AddRoutingCore().AddSingleton(loggers).AddSingleton<IHostLifetime, NoLifetime>();
        health.AddTo(builder.Services.AddHealthChecks());

        var server = builder.Build();
        server.UseOpenTelemetryPrometheusScrapingEndpoint(
            metrics.Provider, predicate: null, path: "/metrics", configureBranchedPipeline: null, optionsName: null);
        server.MapHealthChecks("/health/live", new() { Predicate = _ => false, ResponseWriter = HealthResponse.WriteAsync });
        server.MapHealthChecks("/health/ready", new() { ResponseWriter = HealthResponse.WriteAsync });
        return server;
    }

    /// <summary>Signals are the service's, which stops this server.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AdminListening, LogLevel.Information, "Health checks and metrics are at {Url}")]
        public static partial void Listening(ILogger logger, string url);

        [LoggerMessage(EventIds.AdminNotListening, LogLevel.Error,
            "Failed to listen on {Url} ({Setting}) for health checks and metrics: {Reason}. The service runs without them. "
            + "Use another port, and restart the service.")]
        public static partial void NotListening(ILogger logger, string url, string setting, string reason);

        [LoggerMessage(EventIds.AdminIsPublic, LogLevel.Warning,
            "Other machines can reach {Url} ({Setting}), which requires no token. Use a loopback address, or restrict the access.")]
        public static partial void Public(ILogger logger, string url, string setting);
    }
}
