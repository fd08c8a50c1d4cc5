using System.Net.Sockets;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>The socket at which systemd receives the notifications of a service.</summary>
internal sealed class NotifySocket : IDisposable
{
    // A socket's path has at most 107 characters.
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("notify-");
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _received = [];

    public NotifySocket()
    {
        Path = System.IO.Path.Combine(_folder.FullName, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
        _ = ReceiveAsync();
    }

    public string Path { get; }

    /// <summary>The datagrams so far; their lines are joined by a space.</summary>
    public IReadOnlyList<string> Received
    {
        get
        {
            lock (_received)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>A program that executes the service as systemd does.</summary>
    /// <param name="watchdog">The unit's WatchdogSec.</param>
    public string[] Under(TimeSpan? watchdog = null) =>
        ["env", $"NOTIFY_SOCKET={Path}", .. watchdog is { } time ? [$"WATCHDOG_USEC={time.TotalMicroseconds}"] : Array.Empty<string>()];

    /// <summary>Waits until there are as many datagrams with this text.</summary>
    public Task WaitForAsync(string text, int count = 1) =>
        Wait.UntilAsync(() => Count(text) >= count, $"{count} times {text}");

    public int Count(string text) => Received.Count(datagram => datagram.Contains(text, StringComparison.Ordinal));

    public void Dispose()
    {
        _socket.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer);
                lock (_received)
                {
                    _received.Add(Encoding.UTF8.GetString(buffer, 0, length).Replace('\n', ' '));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }
}
