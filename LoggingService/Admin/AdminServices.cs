using LoggingService.Http;

namespace LoggingService.Admin;

internal static class AdminServices
{
    /// <summary>
    /// Adds the admin listener, if it is on, and the export of metrics, if it or OTLP is on. To be called before the other hosted services
    /// are added: the recovery at a start can be observed, too.
    /// </summary>
    /// <exception cref="ConfigurationException">The address of the collector is invalid.</exception>
    public static void AddAdmin(this WebApplicationBuilder builder)
    {
        var address = ListenAddress.ReadAdmin(builder.Configuration);
        var sendsOtlp = MetricsExport.ReadOtlp();
        if (address is null && !sendsOtlp)
        {
            return;
        }

        builder.Services.AddSingleton<JournalProbe>()
            .AddSingleton<ServiceHealth>()
            .AddSingleton<ServiceGauges>()
            .AddSingleton(services => new MetricsExport(
                services.GetRequiredService<ServiceGauges>(), isScraped: address is not null, sendsOtlp))
            .AddHostedService(services => services.GetRequiredService<MetricsExport>())
            .AddHostedService<HomeserverProbe>();
        if (address is not null)
        {
            builder.Services.AddSingleton(address)
                .AddSingleton<AdminListener>()
                .AddHostedService(services => services.GetRequiredService<AdminListener>());
        }
    }
}
