using System.Net.Sockets;
using LoggingService.Files;
using LoggingService.Registration;
using Microsoft.AspNetCore.Connections;

namespace LoggingService.Http;

/// <summary>Where the web server listens, its limits, and its start.</summary>
internal static class WebServer
{
    private const string Advice =
        "To use another address, change url in the registration, copy the file to the homeserver and restart both.";

    /// <summary>A stop takes 10 s at most: 5 for requests, 4 for the last checkpoint.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Listens at the registration's url, unless <c>--urls</c> names another address.</summary>
    /// <exception cref="ConfigurationException">The registration's url is https.</exception>
    public static void ConfigureWebServer(
        this WebApplicationBuilder builder, LoggingServiceOptions options, AppServiceRegistration registration)
    {
        if (string.IsNullOrEmpty(builder.Configuration["urls"]))
        {
            builder.WebHost.UseUrls(registration.ListenUrl ?? throw new ConfigurationException(
                $"{options.Registration}: url is https, but this service speaks only http: let a proxy serve it, "
                + "and set the address that the proxy forwards to, with --urls http://localhost:5000."));
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // RequestBody limits bodies, with a Matrix error. This only caps how much of an unauthenticated body is drained.
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            kestrel.Limits.MaxConcurrentConnections = OpenFileLimit.ForConnections;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
    }

    /// <exception cref="ConfigurationException">The service cannot listen on the configured urls.</exception>
    public static async Task StartAsync(WebApplication app)
    {
        var urls = app.Configuration["urls"] ?? "";
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            if (DescribeInvalid(url) is { } error)
            {
                throw new ConfigurationException($"Cannot listen on {url}: {error}. {Advice}");
            }
        }

        foreach (var endpoint in app.Configuration.GetSection("Kestrel:Endpoints").GetChildren())
        {
            var url = endpoint["Url"] ?? "";
            if (DescribeInvalid(url) is { } error)
            {
                throw new ConfigurationException($"{endpoint.Path}:Url is \"{url}\": {error}");
            }
        }

        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (DescribeBindError(e) is not null)
        {
            throw new ConfigurationException($"Cannot listen on {urls}: {DescribeBindError(e)}. {Advice}");
        }
    }

    /// <summary>Checks what Kestrel would reject with exceptions that only their messages distinguish.</summary>
    private static string? DescribeInvalid(string url)
    {
        try
        {
            return BindingAddress.Parse(url.ToLowerInvariant()) switch
            {
                { Scheme: not "http" } => "only http is supported; let a proxy terminate https",
                { PathBase: not "" } => "a url to listen on has no path",
                { IsNamedPipe: true } => "only Windows has named pipes",
                { Host: "localhost", Port: 0 } => "port 0 requires an IP address such as 127.0.0.1",
                { IsUnixPipe: false, Port: < 0 or > ushort.MaxValue } => "a port is 0 to 65535",
                _ => null,
            };
        }
        catch (FormatException)
        {
            return "not a url such as http://localhost:5000";
        }
    }

    private static string? DescribeBindError(Exception e) => e switch
    {
        IOException { InnerException: AddressInUseException } => "another program listens there already",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "only root may listen on ports below 1024",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "this machine has no such address",
        SocketException => e.Message,

        // localhost is bound on two addresses.
        IOException { InnerException: AggregateException { InnerException: { } first } } => DescribeBindError(first),
        _ => null,
    };
}
