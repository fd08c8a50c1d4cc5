namespace LoggingService.Rooms;

internal static class RoomLifeServices
{
    /// <summary>What follows a room over time: invitations, upgrades, encryption, joins.</summary>
    public static IServiceCollection AddRoomLife(this IServiceCollection services) => services
        .AddSingleton<RoomLife>().AddSingleton<Invitations>().AddSingleton<RoomUpgrades>().AddSingleton<AliasMoves>()
        .AddSingleton<FirstStates>().AddSingleton<EncryptionNotice>().AddHostedService<LoggedRoomJoins>();
}
