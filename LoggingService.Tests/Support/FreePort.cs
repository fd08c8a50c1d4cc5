using System.Net;
using System.Net.Sockets;

namespace LoggingService.Tests.Support;

/// <summary>
/// Ports on 127.0.0.1 without a listener, for servers that cannot bind port 0. They are below the range from which Linux assigns ports
/// (32768 and up), and reserved in blocks by a locked file: no other test, run or <c>scripts/try-with-synapse</c> gets the same.
/// </summary>
internal static class FreePort
{
    private const int First = 20_000;
    private const int BlockSize = 100;
    private const int Blocks = 120;
    private static readonly Lock Lock = new();
    private static readonly Queue<int> Reserved = [];

    // Locked until the process ends.
    private static readonly List<FileStream> Files = [];

    /// <summary>Returns a port that was not returned before; a listener can be stopped and started again on it.</summary>
    public static int Next()
    {
        lock (Lock)
        {
            while (true)
            {
                if (Reserved.Count == 0)
                    ReserveBlock();
                var port = Reserved.Dequeue();
                using var listener = new TcpListener(IPAddress.Loopback, port);
                try
                {
                    listener.Start();
                    return port;
                }
                catch (SocketException)
                {
                    // In use by a process that reserves nothing.
                }
            }
        }
    }

    private static void ReserveBlock()
    {
        int[] blocks = [.. Enumerable.Range(0, Blocks)];
        Random.Shared.Shuffle(blocks);
        foreach (var block in blocks)
        {
            try
            {
                Files.Add(new($"/tmp/{Environment.UserName}.ports.{block}", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            foreach (var port in Enumerable.Range(First + (block * BlockSize), BlockSize))
                Reserved.Enqueue(port);
            return;
        }

        throw new InvalidOperationException("All blocks of ports are reserved.");
    }
}
