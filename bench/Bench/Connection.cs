using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>
/// A connection that a homeserver holds: HTTP/1.1, kept alive as long as the other side wants. Nothing but a socket, so
/// that the generator takes as little as possible of the machine.
/// </summary>
internal sealed class Connection(int port) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Socket? _socket;

    /// <summary>Sends a transaction and waits for its 200.</summary>
    /// <exception cref="HttpRequestException">The answer is another one.</exception>
    public Task PutAsync(string id, ReadOnlyMemory<byte> body) => SendAsync($"PUT /_matrix/app/v1/transactions/{id}", body);

    /// <summary>Sends a request and waits for its 200.</summary>
    /// <param name="line">Method and target.</param>
    /// <param name="body">The body, or nothing.</param>
    /// <exception cref="HttpRequestException">The answer is another one.</exception>
    public async Task SendAsync(string line, ReadOnlyMemory<byte> body)
    {
        var head = Encoding.ASCII.GetBytes($"{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Synapse/1.160.0\r\nAuthorization: Bearer hs_token\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        for (var attempt = 1; ; attempt++)
        {
            var isKept = _socket is not null;
            try
            {
                await ConnectAsync();
                await _socket!.SendAsync(new ArraySegment<byte>[] { new(head), new(body.ToArray(), 0, body.Length) });
                await ReadAnswerAsync(line);
                return;
            }
            catch (Exception e) when (isKept && attempt == 1 && e is SocketException or EndOfStreamException)
            {
                // The other side had closed it in the meantime.
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

    private async Task ReadAnswerAsync(string line)
    {
        var read = 0;
        while (true)
        {
            var more = await _socket!.ReceiveAsync(_buffer.AsMemory(read));
            if (more == 0)
            {
                throw new EndOfStreamException();
            }

            read += more;
            var text = Encoding.Latin1.GetString(_buffer, 0, read);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var end && IsWhole(text[..end], text[(end + 4)..]))
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

    private static bool IsWhole(string head, string body) =>
        head.Split("\r\nContent-Length: ", 2) is [_, var rest]
            ? body.Length >= int.Parse(rest.Split('\r')[0])
            : body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
