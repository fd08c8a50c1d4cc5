using LoggingService.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Diagnostics.HealthChecks;

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

    /// <exception cref="FatalException">It can't listen on the address.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (homeserverAddresses.Any(address.IsSame))
        {
            throw new ConfigurationException($"{address.Setting} is \"{address.Url}\": the homeserver has this address; use another port");
        }

        _server = Build();
        await WebServer.StartAsync(_server, [address], cancellationToken);
        Url = _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
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
        var checks = server.Services.GetRequiredService<HealthCheckService>();
        server.UseOpenTelemetryPrometheusScrapingEndpoint(
            metrics.Provider, predicate: null, path: "/metrics", optionsName: null, configureBranchedPipeline: branch => branch.Use(
                async (context, next) =>
                {
                    // The metrics include the state of each check.
                    health.LastReport = await checks.CheckHealthAsync(context.RequestAborted);
                    await next(context);
                }));
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

        [LoggerMessage(EventIds.AdminIsPublic, LogLevel.Warning,
            "Other machines can reach {Url} ({Setting}), which requires no token. Use a loopback address, or restrict the access.")]
        public static partial void Public(ILogger logger, string url, string setting);
    }
}
