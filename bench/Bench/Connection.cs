using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>
/// An HTTP/1.1 keep-alive connection of a homeserver: a blocking socket, so that the load generator takes little of the machine.
/// </summary>
internal sealed class Connection(int port) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Socket? _socket;

    /// <summary>The head of a request that pushes a transaction.</summary>
    public static string Head(string transactionId, int contentLength) =>
        $"PUT /_matrix/app/v1/transactions/{transactionId} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Synapse/1.160.0\r\n"
        + $"Authorization: Bearer hs_token\r\nContent-Type: application/json\r\nContent-Length: {contentLength}\r\n\r\n";

    /// <summary>Sends a request and waits for its 200.</summary>
    /// <exception cref="HttpRequestException">The response has another status.</exception>
    public void Send(ReadOnlySpan<byte> request)
    {
        for (var attempt = 1; ; attempt++)
        {
            var isReused = _socket is not null;
            try
            {
                Connect().Send(request);
                ReadResponse();
                return;
            }
            catch (Exception e) when (isReused && attempt == 1 && e is SocketException or EndOfStreamException)
            {
                // The server has closed the idle connection.
                Close();
            }
        }
    }

    public void Dispose() => Close();

    private Socket Connect()
    {
        if (_socket is null)
        {
            _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _socket.Connect(IPAddress.Loopback, port);
        }

        return _socket;
    }

    private void ReadResponse()
    {
        var read = 0;
        while (true)
        {
            var received = _socket!.Receive(_buffer.AsSpan(read));
            if (received == 0)
            {
                throw new EndOfStreamException();
            }

            read += received;
            ReadOnlySpan<byte> response = _buffer.AsSpan(0, read);
            var end = response.IndexOf("\r\n\r\n"u8);
            if (end > 0 && IsComplete(response[..end], response[(end + 4)..]))
            {
                if (!response.StartsWith("HTTP/1.1 200"u8))
                {
                    var isBusy = response.StartsWith("HTTP/1.1 503"u8);
                    var status = isBusy ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.InternalServerError;
                    var text = Encoding.UTF8.GetString(response);
                    Close();
                    throw new HttpRequestException(text, inner: null, status);
                }

                if (response[..end].IndexOf("\r\nConnection: close"u8) >= 0)
                {
                    Close();
                }

                return;
            }
        }
    }

    private static bool IsComplete(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        var name = "\r\nContent-Length: "u8;
        var found = head.IndexOf(name);
        return found >= 0 && Utf8Parser.TryParse(head[(found + name.Length)..], out int length, out _)
            ? body.Length >= length
            : body.EndsWith("0\r\n\r\n"u8);
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
