namespace LoggingService.Consent;

internal static class ConsentServices
{
    public static IServiceCollection AddConsent(this IServiceCollection services) => services
        .AddSingleton<NotLoggedEvents>().AddSingleton<OptOut>()
        .AddSingleton<RoomFiles>().AddHostedService<RoomNotices>();
}
