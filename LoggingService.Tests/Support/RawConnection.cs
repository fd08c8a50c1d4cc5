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

    public static async Task<RawConnection> OpenAsync(int port)
    {
        var connection = new RawConnection();
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

    public void Dispose() => _tcp.Dispose();
}
