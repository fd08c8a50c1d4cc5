using Microsoft.Extensions.Hosting.Systemd;

namespace LoggingService.Systemd;

internal static class SystemdServices
{
    /// <summary>Notifies systemd, or another manager that passes a socket. To be added before all other hosted services.</summary>
    public static IServiceCollection AddSystemdNotifications(this IServiceCollection services)
    {
        // Not AddSystemd: it replaces the host's lifetime, and only where the parent process is called systemd.
        var notifier = new SystemdNotifier();
        return notifier.IsEnabled
            ? services.AddSingleton<ISystemdNotifier>(notifier).AddHostedService<SystemdNotifications>()
            : services;
    }
}
