using System.Net.Sockets;
using System.Runtime.CompilerServices;
using LoggingService.Files;
using LoggingService.Registration;
using Microsoft.AspNetCore.Connections;

namespace LoggingService.Http;

/// <summary>Where the web server listens, its limits, and its start.</summary>
internal static class WebServer
{
    private const string Advice =
        " To use another address, change url in the registration, copy the file to the homeserver and restart both.";

    /// <summary>A stop takes 10 s at most: 5 for requests, 4 for the last checkpoint.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Listens at the registration's url, unless <c>urls</c> or <c>Kestrel:Endpoints</c> name another address.</summary>
    /// <param name="isRequired">Otherwise the list of addresses is empty where the registration's url is https.</param>
    /// <exception cref="ConfigurationException">The registration's url is https.</exception>
    public static void ConfigureWebServer(
        this WebApplicationBuilder builder, LoggingServiceOptions options, AppServiceRegistration registration, bool isRequired)
    {
        var addresses = ListenAddress.ReadAll(builder.Configuration);
        if (addresses.Count == 0 && registration.ListenUrl is null && isRequired)
        {
            throw new ConfigurationException(
                $"{options.Registration}: url is https, but this service speaks only http: let a proxy serve it, "
                + "and set the address that the proxy forwards to, with --urls http://localhost:5000.");
        }

        if (addresses.Count == 0 && registration.ListenUrl is { } url)
        {
            addresses = [new(url, options.Registration, Advice)];
            builder.WebHost.UseUrls(url);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // RequestBody limits bodies, with a Matrix error. This only caps how much of an unauthenticated body is drained.
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            kestrel.Limits.MaxConcurrentConnections = OpenFileLimit.ForConnections;
        });
        builder.Services.AddSingleton(addresses);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
    }

    /// <param name="reload">Reloads the settings at a SIGHUP without a terminal.</param>
    /// <exception cref="FatalException">The service cannot listen on a configured address.</exception>
    public static async Task StartAsync(WebApplication app, Action? reload = null)
    {
        var hangup = HangupSignal.Handle(app.Lifetime.StopApplication, reload);
        app.Lifetime.ApplicationStopped.Register(hangup.Dispose);
        try
        {
            await app.StartAsync();
            if (!RuntimeFeature.IsDynamicCodeCompiled)
            {
                // A native program's reflection leaves 8 MB of garbage, too little for a collection: an idle service would keep it.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
            }
        }
        catch (Exception e) when (DescribeBindError(e) is not null)
        {
            throw CreateBindException(app.Services.GetRequiredService<IReadOnlyList<ListenAddress>>(), e);
        }
    }

    /// <summary>Why a web server can't listen on its address; <c>null</c> for any other exception of its start.</summary>
    public static string? DescribeBindError(Exception e) => e switch
    {
        IOException { InnerException: AddressInUseException } => "another program listens there already",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "only root may listen on ports below 1024",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "this machine has no such address",
        SocketException => e.Message,

        // localhost is bound on two addresses.
        IOException { InnerException: AggregateException { InnerException: { } first } } => DescribeBindError(first),
        _ => null,
    };

    private static FatalException CreateBindException(IReadOnlyList<ListenAddress> addresses, Exception e)
    {
        // Not every exception names the address.
        var named = addresses.Where(address => e.Message.Contains(address.Url, StringComparison.OrdinalIgnoreCase)).ToList();
        var failed = named.Count > 0 ? named : addresses;
        var urls = string.Join(", ", failed.Select(address => address.Url));
        var settings = string.Join(", ", failed.Select(address => address.Setting).Distinct());
        var message = $"Cannot listen on {urls} ({settings}): {DescribeBindError(e)}.{failed[0].Advice}";
        return e is SocketException { SocketErrorCode: SocketError.AccessDenied }
            ? new ConfigurationException(message)
            : new FatalException(message);
    }
}
