namespace LoggingService.RoomLogs;

/// <summary>Registers what writes the logs of the rooms.</summary>
internal static class RoomLogServices
{
    public static IServiceCollection AddRoomLogs(this IServiceCollection services, LoggingServiceOptions options) => services
        .AddSingleton(provider => new LogDirectory(
            options.Logs, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<LogDirectory>>()))
        .AddSingleton<RoomActivity>().AddHostedService(provider => provider.GetRequiredService<RoomActivity>())
        .AddHostedService<LogUpkeep>();
}
