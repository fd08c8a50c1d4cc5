using System.Net;
using System.Net.Sockets;
using System.Text;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Many or slow connections of other clients don't keep the service from responding to the homeserver.</summary>
public class ConnectionTests
{
    [Fact]
    public async Task Slow_requests_do_not_block_the_homeserver()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var connections = await ConnectAsync(service.Port, Trial.Scale(500, 5_000));
        var heads = Encoding.ASCII.GetBytes("PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nHost: localhost\r\nX: ");
        var bodies = Encoding.ASCII.GetBytes(RawConnection.TransactionHead("1", 1_000_000));
        var unauthenticated = Encoding.ASCII.GetBytes(RawConnection.TransactionHead("1", 1_000_000, "wrong"));
        byte[][] starts = [heads, bodies, unauthenticated];
        await Task.WhenAll(connections.Select((socket, i) => socket.SendAsync(starts[i % 3])));
        try
        {
            // Each sends a byte now and then until the service disconnects it.
            var ended = new HashSet<int>();
            var end = DateTime.UtcNow.AddMinutes(1.5);
            while (ended.Count < connections.Count)
            {
                Assert.True(DateTime.UtcNow < end, $"{connections.Count - ended.Count} are still connected");
                for (var i = 0; i < connections.Count; i++)
                    if (!ended.Contains(i) && !await SendByteAsync(connections[i]))
                        ended.Add(i);
                for (var i = 0; i < 20; i++)
                    await service.LogOneMessageAsync();

                // The timeout of request headers is half a minute: the short form doesn't wait for it.
                if (Trial.Scale(0, 1) == 0 && Enumerable.Range(0, connections.Count).All(i => i % 3 == 0 || ended.Contains(i)))
                    break;
            }
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        const string method = "headers, bodies with and without the token, a byte at a time, until disconnected";
        await service.AssertUnharmedAsync("slow requests", method, connections.Count, before, MoreMemory(connections.Count));
    }

    [Fact]
    public async Task Ten_thousand_connections_do_not_block_the_homeserver()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var count = (int)Math.Min(Trial.Scale(1_000, 10_000), OpenFileLimit.ForConnections - 200);
        var connections = await ConnectAsync(service.Port, count);
        try
        {
            await Wait.UntilAsync(() => service.OpenFiles >= before.OpenFiles + count, "all connections are accepted");
            service.Homeserver.DefaultRequestHeaders.ConnectionClose = true;
            for (var i = 0; i < 50; i++)
                await service.LogOneMessageAsync();

            // Unauthenticated requests on all connections at once.
            var request = "GET /_matrix/app/v1/users/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n"u8.ToArray();
            await Task.WhenAll(connections.Select(async connection =>
            {
                await connection.SendAsync(request);
                var response = new byte[12];
                await connection.ReceiveAsync(response);
                Assert.Equal("HTTP/1.1 403", Encoding.ASCII.GetString(response));
            }));
            await service.LogOneMessageAsync();
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        const string method = "open at the same time, idle, then a request with a wrong token on each";
        await service.AssertUnharmedAsync("connections", method, count, before, MoreMemory(count));
    }

    // With a connection limit at or above that of open files, the runtime aborted the process: it couldn't open its own files.
    [Fact]
    public async Task Other_clients_cannot_exhaust_the_limit_of_open_files()
    {
        await using var service = await ServiceUnderAttack.StartAsync(openFiles: 1024);
        var before = (service.Memory, service.OpenFiles);
        var rooms = Enumerable.Range(0, 20).Select(_ => Some.RoomId()).ToList();
        var rounds = Trial.Scale(2, 20);
        for (var round = 0; round < rounds; round++)
        {
            var connections = await ConnectAsync(service.Port, 900);
            try
            {
                // The homeserver's connection stays open; new rooms need files.
                await service.LogOneMessageAsync();
                foreach (var room in rooms)
                    Assert.Equal((200, "{}"), await service.PushAsync("1", Some.Message(room)));
                Assert.InRange(service.OpenFiles, 0, 1000);
            }
            finally
            {
                connections.ForEach(connection => connection.Dispose());
            }

            await Wait.UntilAsync(() => service.OpenFiles <= before.OpenFiles + 60, "the connections are closed");
        }

        var warnings = service.Process.Output.Count(line => line.Contains("maximum number of concurrent connections"));
        Assert.InRange(warnings, 1, Trial.Scale(1, 3));
        const string fault = "more connections than the limit of open files";
        before.OpenFiles += 60;
        await service.AssertUnharmedAsync(fault, "900 at a time of 1,024 open files", rounds * 900, before);
    }

    // A connection costs some KiB, which the runtime collects under memory pressure.
    private static long MoreMemory(int connections) => 150 + (connections / 40);

    private static async Task<List<Socket>> ConnectAsync(int port, int count)
    {
        List<Socket> connections = [];
        for (var i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            connections.Add(socket);
            await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        }

        return connections;
    }

    /// <summary>Sends a byte; false if the service has disconnected.</summary>
    private static async Task<bool> SendByteAsync(Socket socket)
    {
        try
        {
            await socket.SendAsync("a"u8.ToArray());
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
