using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

internal static class RoomLogServices
{
    public static IServiceCollection AddRoomLogs(this IServiceCollection services, LoggingServiceOptions options) => services
        .AddSingleton(provider => new LogDirectory(
            options.Logs, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<LogDirectory>>()))
        .AddSingleton<Func<Backlog>>(provider =>
        {
            var logs = provider.GetRequiredService<LogDirectory>();
            return () => logs.Backlog;
        })
        .AddSingleton<FindLastLogged>(provider => provider.GetRequiredService<LogDirectory>().FindLast)
        .AddSingleton<AliasLinks>().AddHostedService(provider => provider.GetRequiredService<AliasLinks>())
        .AddSingleton<UpgradeLinks>().AddHostedService<RecordedRooms>()
        .AddSingleton<RoomActivity>().AddHostedService(provider => provider.GetRequiredService<RoomActivity>())
        .AddSingleton<RoomFileUpdates>().AddHostedService(provider => provider.GetRequiredService<RoomFileUpdates>())
        .AddSingleton<RoomFiles>().AddSingleton<RoomRetention>().AddSingleton<KeptVisibility>().AddSingleton<LogSpace>()
        .AddHostedService<LogMaintenance>().AddHostedService<DayCompression>();
}
