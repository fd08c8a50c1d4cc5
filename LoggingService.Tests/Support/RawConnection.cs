using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>A TCP connection for requests that no HTTP client sends: incomplete ones, or ones that are aborted.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _tcp = new();

    private RawConnection()
    {
    }

    /// <param name="receiveBuffer">How many bytes it takes before they are read, about; the system decides without it.</param>
    public static async Task<RawConnection> OpenAsync(int port, int? receiveBuffer = null)
    {
        var connection = new RawConnection();
        if (receiveBuffer is { } bytes)
        {
            connection._tcp.ReceiveBufferSize = bytes;
        }

        await connection._tcp.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>The request line and headers of a transaction; the test sends the body.</summary>
    public static string TransactionHead(string id, long contentLength, string? token = ServiceUnderTest.HsToken) =>
        $"PUT /_matrix/app/v1/transactions/{id} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + $"Content-Length: {contentLength}\r\n"
        + (token is null ? "" : $"Authorization: Bearer {token}\r\n") + "\r\n";

    public async Task SendAsync(string bytes) =>
        await _tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(bytes), TestContext.Current.CancellationToken);

    /// <summary>Reads up to and including a text, or to the end of the stream; each byte must arrive within the limit.</summary>
    public async Task<string> ReadToAsync(string text, TimeSpan limit)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var received = new StringBuilder();
        var buffer = new byte[1];
        while (!received.ToString().EndsWith(text, StringComparison.Ordinal)
            && await _tcp.GetStream().ReadAsync(buffer, cancellation).AsTask().WaitAsync(limit, cancellation) == 1)
        {
            received.Append((char)buffer[0]);
        }

        return received.ToString();
    }

    /// <summary>Reads to the end of the stream, and returns the number of bytes.</summary>
    public async Task<long> CountToEndAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var buffer = new byte[64 << 10];
        var count = 0L;
        while (await _tcp.GetStream().ReadAsync(buffer, cancellation).AsTask().WaitAsync(ServiceProcess.DefaultLimit, cancellation)
            is var read and > 0)
        {
            count += read;
        }

        return count;
    }

    public void Dispose() => _tcp.Dispose();
}
