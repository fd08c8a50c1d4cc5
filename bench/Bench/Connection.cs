using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>
/// An HTTP/1.1 keep-alive connection of a homeserver. A bare socket, so that the load generator uses as little of the machine
/// as possible.
/// </summary>
internal sealed class Connection(int port) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Socket? _socket;

    /// <summary>Sends a transaction and waits for its 200.</summary>
    /// <exception cref="HttpRequestException">The response has another status.</exception>
    public Task PutAsync(string id, ReadOnlyMemory<byte> body) => SendAsync($"PUT /_matrix/app/v1/transactions/{id}", body);

    /// <summary>Sends a request and waits for its 200.</summary>
    /// <param name="line">Method and target.</param>
    /// <param name="body">The body; may be empty.</param>
    /// <exception cref="HttpRequestException">The response has another status.</exception>
    public async Task SendAsync(string line, ReadOnlyMemory<byte> body)
    {
        var head = Encoding.ASCII.GetBytes(
            $"{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Synapse/1.160.0\r\nAuthorization: Bearer hs_token\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        for (var attempt = 1; ; attempt++)
        {
            var isReused = _socket is not null;
            try
            {
                await ConnectAsync();
                await _socket!.SendAsync(new ArraySegment<byte>[] { new(head), new(body.ToArray(), 0, body.Length) });
                await ReadResponseAsync(line);
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

    private async Task ConnectAsync()
    {
        if (_socket is null)
        {
            _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await _socket.ConnectAsync(IPAddress.Loopback, port);
        }
    }

    private async Task ReadResponseAsync(string line)
    {
        var read = 0;
        while (true)
        {
            var received = await _socket!.ReceiveAsync(_buffer.AsMemory(read));
            if (received == 0)
            {
                throw new EndOfStreamException();
            }

            read += received;
            var text = Encoding.Latin1.GetString(_buffer, 0, read);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end > 0 && IsComplete(text[..end], text[(end + 4)..]))
            {
                if (!text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                {
                    throw new HttpRequestException($"{line}: {text}");
                }

                if (text[..end].Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase))
                {
                    Close();
                }

                return;
            }
        }
    }

    private static bool IsComplete(string head, string body) =>
        head.Split("\r\nContent-Length: ", 2) is [_, var rest]
            ? body.Length >= int.Parse(rest.Split('\r')[0])
            : body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
