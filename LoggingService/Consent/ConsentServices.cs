namespace LoggingService.Consent;

internal static class ConsentServices
{
    public static IServiceCollection AddConsent(this IServiceCollection services) => services
        .AddSingleton<NotLoggedEvents>().AddSingleton<OptOut>()
        .AddSingleton<RoomPower>().AddSingleton<PendingWishes>()
        .AddSingleton<RoomWishes>().AddHostedService(provider => provider.GetRequiredService<RoomWishes>())
        .AddSingleton<StatusReplies>().AddHostedService(provider => provider.GetRequiredService<StatusReplies>())
        .AddHostedService<RoomNotices>();
}
