using System.Net.Sockets;
using LoggingService.Options;
using Microsoft.AspNetCore.Connections;

namespace LoggingService.Http;

/// <summary>Starts the web server. An address that it cannot bind is an error of the configuration.</summary>
internal static class ServerStartup
{
    private const string Advice =
        "To use another address, change url in the registration, copy the file to the homeserver and restart both.";

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
                { Host: "localhost", Port: 0 } => "port 0 requires an IP address such as 127.0.0.1",
                { IsUnixPipe: false, Port: < 0 or > ushort.MaxValue } => "a port is at most 65535",
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
