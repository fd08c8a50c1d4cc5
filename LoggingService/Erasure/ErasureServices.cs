namespace LoggingService.Erasure;

internal static class ErasureServices
{
    public static IServiceCollection AddErasure(this IServiceCollection services) => services
        .AddSingleton<Eraser>().AddSingleton<RedactedEvents>().AddHostedService<ErasureService>();
}
