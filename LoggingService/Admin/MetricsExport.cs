using LoggingService.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace LoggingService.Admin;

/// <summary>
/// Collects the metrics of the service: for Prometheus, which the admin listener serves, and for a collector that OpenTelemetry's
/// environment variables name. Values that are recorded before the start are lost.
/// </summary>
internal sealed class MetricsExport(ServiceGauges gauges, bool isScraped, bool sendsOtlp) : BackgroundService
{
    private const string ServiceName = "logging-service";
    private static readonly TimeSpan UsageInterval = TimeSpan.FromMinutes(5);

    /// <summary>Set while it runs.</summary>
    public MeterProvider? Provider { get; private set; }

    /// <summary>Whether a collector is named, as OpenTelemetry's "OTLP Exporter Configuration" specifies.</summary>
    /// <exception cref="ConfigurationException">Its address is invalid, which the exporter would ignore.</exception>
    public static bool ReadOtlp()
    {
        var isNamed = false;
        foreach (var name in (string[])["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"])
        {
            if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } value)
            {
                continue;
            }

            isNamed = HttpUrl.TryParse(value, out _, out var error)
                ? true
                : throw new ConfigurationException($"{name} {error}: use one such as http://localhost:4317");
        }

        return isNamed && !IsTrue("OTEL_SDK_DISABLED");
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var version = typeof(MetricsExport).Assembly.GetName().Version?.ToString(3);
        var builder = Sdk.CreateMeterProviderBuilder().AddMeter(ServiceMetrics.MeterName).ConfigureResource(resource => resource
            .Clear()
            .AddService(ServiceName, serviceVersion: version, autoGenerateServiceInstanceId: false)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector());
        if (isScraped)
        {
            builder.AddPrometheusExporter(options => options.ScopeInfoEnabled = false);
        }

        if (sendsOtlp)
        {
            builder.AddOtlpExporter();
        }

        Provider = builder.Build();
        gauges.Create();
        ServiceMetrics.CreateSeries();
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);

        // OTLP gets the last values.
        await Task.Run(() => Provider?.Dispose(), CancellationToken.None).WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(UsageInterval);
        do
        {
            await Task.Run(gauges.ReadUsage, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static bool IsTrue(string variable) => bool.TryParse(Environment.GetEnvironmentVariable(variable), out var value) && value;
}
