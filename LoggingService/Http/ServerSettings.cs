using LoggingService.Files;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Http;

/// <summary>Where the web server listens, and its limits.</summary>
internal static class ServerSettings
{
    /// <summary>A stop takes 10 s at most: 5 for requests, 4 for the last checkpoint.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Listens at the registration's url, unless <c>--urls</c> names another address.</summary>
    /// <exception cref="ConfigurationException">The registration's url is https.</exception>
    public static void UseServer(this WebApplicationBuilder builder, LoggingServiceOptions options, AppServiceRegistration registration)
    {
        if (string.IsNullOrEmpty(builder.Configuration["urls"]))
        {
            builder.WebHost.UseUrls(registration.ListenUrl ?? throw new ConfigurationException(
                $"{options.Registration}: url is https, but this service speaks only http: let a proxy serve it, "
                + "and say where this service listens for the proxy, with --urls http://localhost:5000."));
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // RequestBodyReader limits bodies, with a Matrix error. This only caps how much of an unauthenticated body is drained.
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            kestrel.Limits.MaxConcurrentConnections = OpenFileLimit.ForConnections;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
    }
}
