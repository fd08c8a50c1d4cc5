using System.Net;
using System.Net.Sockets;
using System.Text;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Connections that are many, or slow: the homeserver is answered all the same.</summary>
public class ConnectionTests
{
    [Fact]
    public async Task While_many_drip_their_requests_the_homeserver_is_answered()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var connections = await ConnectAsync(service.Port, Trial.Scale(500, 5_000));
        var heads = Encoding.ASCII.GetBytes("PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nHost: localhost\r\nX: ");
        var bodies = Encoding.ASCII.GetBytes(RawConnection.TransactionHead("1", 1_000_000));
        var strangers = Encoding.ASCII.GetBytes(RawConnection.TransactionHead("1", 1_000_000, "wrong"));
        await Task.WhenAll(connections.Select((socket, i) => socket.SendAsync((i % 3) switch { 0 => heads, 1 => bodies, _ => strangers })));
        try
        {
            // Of what they announced they send a byte now and then, until the service has had enough of each.
            var ended = new HashSet<int>();
            var end = DateTime.UtcNow.AddMinutes(1.5);
            while (ended.Count < connections.Count)
            {
                Assert.True(DateTime.UtcNow < end, $"{connections.Count - ended.Count} go on dripping");
                for (var i = 0; i < connections.Count; i++)
                    if (!ended.Contains(i) && !await DripAsync(connections[i]))
                        ended.Add(i);
                for (var i = 0; i < 20; i++)
                    await service.LogOneMessageAsync();

                // A head may take half a minute.
                if (Trial.Scale(0, 1) == 0 && Enumerable.Range(0, connections.Count).All(i => i % 3 == 0 || ended.Contains(i)))
                    break;
            }
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        await service.AssertUnharmedAsync("requests that drip",
            "heads, bodies with the token and without, a byte at a time, until they are hung up on", connections.Count, before,
            MoreMemory(connections.Count));
    }

    [Fact]
    public async Task Among_ten_thousand_connections_the_homeservers_is_served()
    {
        await using var service = await ServiceUnderAttack.StartAsync();
        var before = (service.Memory, service.OpenFiles);
        var count = (int)Math.Min(Trial.Scale(1_000, 10_000), OpenFileLimit.ForConnections - 200);
        var connections = await ConnectAsync(service.Port, count);
        try
        {
            await Wait.UntilAsync(() => service.OpenFiles >= before.OpenFiles + count, "all are accepted");
            service.Homeserver.DefaultRequestHeaders.ConnectionClose = true;
            for (var i = 0; i < 50; i++)
                await service.LogOneMessageAsync();

            // All at once, and strangers all of them.
            var ask = "GET /_matrix/app/v1/users/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n"u8.ToArray();
            await Task.WhenAll(connections.Select(async connection =>
            {
                await connection.SendAsync(ask);
                var answer = new byte[12];
                await connection.ReceiveAsync(answer);
                Assert.Equal("HTTP/1.1 403", Encoding.ASCII.GetString(answer));
            }));
            await service.LogOneMessageAsync();
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        await service.AssertUnharmedAsync("connections", "open at the same time, idle, then each with a wrong token", count, before,
            MoreMemory(count));
    }

    // Without a limit of connections below that of open files the runtime ended the process: it couldn't open what it needed.
    [Fact]
    public async Task Strangers_can_not_use_up_what_the_service_needs_to_open_files()
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
                // The homeserver's connection is kept; rooms need files.
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

        Assert.InRange(service.Process.Output.Count(line =>
            line.Contains("maximum number of concurrent connections", StringComparison.Ordinal)), 1, Trial.Scale(1, 3));
        await service.AssertUnharmedAsync("more connections than the process may open", "900 at a time of 1,024 open files", rounds * 900,
            (before.Memory, before.OpenFiles + 60));
    }

    // A connection costs some KiB, which the runtime collects when it needs them.
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

    /// <summary>Sends a byte.</summary>
    /// <returns>False where the other side has ended the connection.</returns>
    private static async Task<bool> DripAsync(Socket socket)
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
