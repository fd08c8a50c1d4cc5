using LoggingService.Homeserver;
using LoggingService.RoomLogs;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoggingService.History;

internal static class HistoryServices
{
    public static IServiceCollection AddHistory(this IServiceCollection services, LoggingServiceOptions options)
    {
        services.TryAddSingleton(_ => new ErasureMarks(options.Logs));
        return services.AddSingleton<HomeserverHistory>().AddSingleton<HistoryPages>().AddSingleton<FetchedLog>()
            .AddSingleton<GapFetch>().AddSingleton<CheckedTime>().AddHostedService<GapWatch>()
            .AddSingleton<Backfill>().AddHostedService<BackfillRequests>();
    }
}
