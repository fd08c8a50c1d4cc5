using LoggingService.Homeserver;

namespace LoggingService.History;

internal static class HistoryServices
{
    public static IServiceCollection AddHistory(this IServiceCollection services) => services
        .AddSingleton<HomeserverHistory>().AddSingleton<HistoryPages>().AddSingleton<FetchedLog>()
        .AddSingleton<GapFetch>().AddSingleton<CheckedTime>().AddSingleton<OpenRooms>().AddHostedService<GapWatch>()
        .AddSingleton<Backfill>().AddHostedService<BackfillRequests>();
}
