using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace LoggingService.Tests.Support;

/// <summary>A port on 127.0.0.1 that nobody listens on.</summary>
internal static class FreePort
{
    private static readonly ConcurrentDictionary<int, bool> Taken = new();

    /// <summary>
    /// Picks a port that nobody listens on and that this process wasn't given before. It lies below the ports that
    /// Linux gives to outgoing connections (32768 and up), so it is still free after its listener was stopped and is
    /// started again.
    /// </summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            if (!Taken.TryAdd(port, true))
                continue;

            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's; on to another.
            }
        }
    }
}
