using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>A connection on which a test sends what no HTTP client would: half of a request, or a hang-up.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _tcp = new();

    private RawConnection()
    {
    }

    /// <summary>Connects to a port of this machine.</summary>
    public static async Task<RawConnection> OpenAsync(int port)
    {
        var connection = new RawConnection();
        await connection._tcp.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>The head of a transaction, whose body the test sends as it likes.</summary>
    public static string TransactionHead(string id, long contentLength, string? token = ServiceUnderTest.HsToken) =>
        $"PUT /_matrix/app/v1/transactions/{id} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {contentLength}\r\n"
        + (token is null ? "" : $"Authorization: Bearer {token}\r\n") + "\r\n";

    /// <summary>Sends these bytes, and nothing else.</summary>
    public async Task SendAsync(string bytes) =>
        await _tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(bytes), TestContext.Current.CancellationToken);

    /// <summary>Reads up to and with a text, which must come within a time, or to the end.</summary>
    public async Task<string> ReadToAsync(string text, TimeSpan limit)
    {
        var came = new StringBuilder();
        var buffer = new byte[1];
        while (!came.ToString().EndsWith(text, StringComparison.Ordinal)
            && await _tcp.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(limit, TestContext.Current.CancellationToken) == 1)
        {
            came.Append((char)buffer[0]);
        }

        return came.ToString();
    }

    /// <summary>Hangs up.</summary>
    public void Dispose() => _tcp.Dispose();
}
