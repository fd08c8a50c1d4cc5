using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace LoggingService.Tests.Support;

/// <summary>A port on 127.0.0.1 without a listener.</summary>
internal static class FreePort
{
    private static readonly ConcurrentDictionary<int, bool> Taken = new();

    /// <summary>
    /// Picks a port without a listener that this process hasn't been given before. It is below the range from which Linux
    /// assigns ports to outgoing connections (32768 and up), so a listener can be stopped and started again on it.
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
                // In use by another process.
            }
        }
    }
}
