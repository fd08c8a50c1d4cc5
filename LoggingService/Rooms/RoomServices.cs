namespace LoggingService.Rooms;

/// <summary>Registers what decides which rooms are logged, and creates rooms.</summary>
internal static class RoomServices
{
    public static IServiceCollection AddRooms(this IServiceCollection services) => services
        .AddSingleton<LoggedRooms>().AddSingleton<RoomCreator>().AddSingleton<CanonicalAliases>().AddSingleton<AliasLinks>()
        .AddSingleton<RoomAliases>().AddHostedService(provider => provider.GetRequiredService<RoomAliases>());
}
