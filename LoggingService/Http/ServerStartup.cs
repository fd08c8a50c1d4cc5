using System.Net.Sockets;
using LoggingService.Options;
using Microsoft.AspNetCore.Connections;

namespace LoggingService.Http;

/// <summary>The beginning: from here on requests come.</summary>
internal static class ServerStartup
{
    private const string Elsewhere = "Choose another address: change url in the registration, give the homeserver its new copy, restart both.";

    /// <summary>Starts everything, and listens.</summary>
    /// <exception cref="ConfigurationException">It can't listen where it was told to.</exception>
    public static async Task StartAsync(WebApplication app)
    {
        var urls = app.Configuration["urls"];
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (Reason(e) is not null)
        {
            throw new ConfigurationException($"The service can't listen on {urls}: {Reason(e)} {Elsewhere}".ReplaceLineEndings(" "));
        }
    }

    /// <summary>Why it can't listen there; <c>null</c> where something else is wrong.</summary>
    private static string? Reason(Exception e) => e switch
    {
        IOException { InnerException: AddressInUseException } => "another program listens there already.",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "ports below 1024 are root's.",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "this machine has no such address.",
        SocketException => $"{e.Message}.",
        IOException { InnerException: AggregateException { InnerException: { } first } } => Reason(first), // localhost is two addresses.
        FormatException => "that is no address.",
        InvalidOperationException when e.Message.Contains("HTTPS", StringComparison.Ordinal) => "it speaks http only; let a proxy in front of it speak https.",
        InvalidOperationException when e.Source == "Microsoft.AspNetCore.Server.Kestrel.Core" => e.Message,
        _ => null,
    };
}
