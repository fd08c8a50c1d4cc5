using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Random request targets on real sockets: never a 5xx, never a success with a wrong token, no room outside the namespace,
/// no file outside the folder.
/// </summary>
public class FuzzedTargetTests
{
    private const string Wrong = "not_the_hs_token";
    private static readonly string[] Methods = ["GET", "GET", "GET", "PUT", "PUT", "POST", "HEAD", "OPTIONS", "DELETE", "CONNECT", "QUERY"];
    private static readonly string[] Roots =
    [
        "/_matrix/app/v1", "/_matrix/app/v1", "/_matrix/app/v1", "", "/", "//_matrix/app/v1", "/x/../_matrix/app/v1",
        "/%5Fmatrix/app/v1", "/_MATRIX/app/v1", "http://127.0.0.1/_matrix/app/v1", "http://user:pass@example.org:1/_matrix/app/v1",
        "*", "\\_matrix\\app\\v1",
    ];

    private static readonly string[] Routes =
        ["/rooms/", "/rooms/", "/rooms/", "/transactions/", "/users/", "/ping", "/thirdparty/protocol/", "/", ""];

    private static readonly string[] Pieces =
    [
        "%23logged_", "%23logged_", "#logged_", "%23", "logged_", "%3Alocalhost", ":localhost", "%3Alocalhost", ":example.org",
        "@logging", "%40logging", "..", "/..", "/../", "%2e%2e", "%2E%2E%2F", "%2f", "/", "//", ".", ";", "%00", "%0A", "%ff",
        "%c0%af", "%e0%80%af", "%c0%ae%c0%ae%c0%af", "%ed%a0%80", "%f5%80%80%80", "%", "%z", "%2", "%25", "%252e", "%u002e", "\\",
        "~", "+", "&", "=", "a", "B", "1", "%20", "%E2%80%AE", "%F0%9F%98%80", "é", "\u202E", "\u0001", "\u00ff", "\t", "'", "\"",
        "<", "{0}", "$(x)", "|", "*", "!", "logs", "etc/passwd", ".lock", "latest.log",
    ];

    private readonly Random _random = new(20261124);
    private readonly ConcurrentQueue<string> _aliasesPut = new();

    // Text after a space or a line break in the target isn't an HTTP version: 505, and the web server disconnects.
    private sealed record Request(byte[] Bytes, string Target, bool HasSpace, bool CanSucceed);

    [Fact]
    public async Task No_target_causes_a_5xx_bypasses_the_token_or_creates_anything_unexpected()
    {
        var count = Trial.Scale(2_000, 100_000);
        using var folder = TempFolder.ForCaller();
        var allowed = 0;
        var settings = new Dictionary<string, string> { ["LoggingService:RoomsPerHour"] = "1000000" };
        var homeserver = new StubHomeserver().CreatingRooms((_, alias) => _aliasesPut.Enqueue(alias));
        using (var service = new ServiceUnderTest(folder: folder, homeserver: homeserver, settings: settings))
        {
            var port = service.Client.BaseAddress!.Port;
            using var connection = new Connection(port);
            for (var i = 0; i < count; i++)
            {
                var request = Next();
                var status = await connection.SendAsync(request.Bytes);
                Assert.True(status < 500 || (status == 505 && request.HasSpace), $"{status} to {request.Target}");
                Assert.False(status < 400 && !request.CanSucceed, $"{status} to {request.Target}");
                allowed += status < 300 ? 1 : 0;
            }

            Assert.DoesNotContain(service.WarningsAndErrors, line => line.Contains("a bug in LoggingService"));
        }

        // Some of the targets must have been valid.
        Assert.NotEmpty(_aliasesPut);
        Assert.All(_aliasesPut, alias => Assert.Matches(@"^#logged_[^:]*:localhost$", alias));
        AssertInside(folder, _aliasesPut);
        var rooms = _aliasesPut.Distinct().Count();
        var method = "percent-encodings, dots, slashes, NUL, invalid UTF-8, overlong forms, absolute forms, long targets, "
            + "tokens in header and query, on real sockets; "
            + string.Create(CultureInfo.InvariantCulture, $"{allowed:N0} were answered 200, {rooms:N0} rooms created");
        Trial.Report("random request targets", method, count, rooms, 0, 0);
    }

    /// <summary>The service's folder contains only its logs: rooms, and links for exactly these aliases.</summary>
    private static void AssertInside(TempFolder folder, IEnumerable<string> aliases)
    {
        var names = Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName);
        Assert.Equal(["logs", "registration.yaml"], names.Order(StringComparer.Ordinal));
        var links = new List<string>();
        foreach (var entry in new DirectoryInfo(folder["logs"]).EnumerateFileSystemInfos())
        {
            if (entry.LinkTarget is { } target)
            {
                Assert.Matches(@"^!made\d+:localhost$", target);
                links.Add(entry.Name);
            }
            else
            {
                Assert.Matches(@"^(!made\d+:localhost|\.lock|\.journal|\.quarantine|\.history|FORMAT)$", entry.Name);
            }
        }

        Assert.Equal(aliases.Distinct().Count(), links.Count);
    }

    private Request Next()
    {
        // Half of the targets are aliases of the namespace with random pieces in the middle.
        var isAlias = _random.Next(2) == 0;
        var method = isAlias ? "GET" : Pick(Methods);
        var inHeader = PickToken();
        var inQuery = _random.Next(isAlias ? 10 : 3) == 0 ? PickToken() : null;
        var target = new StringBuilder(isAlias ? Roots[0] + Routes[0] + Pieces[0] : Pick(Roots) + Pick(Routes));
        for (var i = _random.Next(6); i > 0; i--)
            target.Append(Pick(Pieces));
        if (isAlias || _random.Next(3) > 0)
            target.Append("%3Alocalhost");
        if (_random.Next(200) == 0)
            target.Append('a', _random.Next(20_000));
        string[] queries = ["?access_token=", "?a=b&access_token=", "?ACCESS_TOKEN=", "?access_token=&access_token="];
        if (inQuery is not null)
            target.Append(Pick(queries)).Append(inQuery);

        var bytes = Encoding.UTF8.GetBytes(target.ToString());
        if (bytes.Length > 0 && _random.Next(isAlias ? 20 : 5) == 0)
            bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
        if (_random.Next(20) == 0)
            bytes = bytes[.._random.Next(Math.Min(1, bytes.Length), bytes.Length + 1)];
        var body = _random.Next(2) == 0 ? "{\"events\":[]}" : "";
        var authorization = inHeader is null ? "" : $"Authorization: Bearer {inHeader}\r\n";
        byte[] request =
        [
            .. Encoding.ASCII.GetBytes($"{method} "),
            .. bytes,
            .. Encoding.ASCII.GetBytes($" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {body.Length}\r\n{authorization}\r\n{body}"),
        ];

        // The mutations can remove the query, but never change a wrong token into the right one.
        var canSucceed = inHeader == ServiceUnderTest.HsToken || (inHeader is null && inQuery == ServiceUnderTest.HsToken);
        var description = $"{Encoding.Latin1.GetString(bytes)} with {inHeader ?? "no token"}";
        return new(request, description, bytes.AsSpan().ContainsAny(" \n"u8), canSucceed);
    }

    private string? PickToken() => Pick([null, Wrong, ServiceUnderTest.HsToken, ServiceUnderTest.HsToken]);

    private T Pick<T>(T[] values) => values[_random.Next(values.Length)];

    /// <summary>Reconnects when the service has closed the connection after a request that it can't parse.</summary>
    private sealed class Connection(int port) : IDisposable
    {
        private readonly byte[] _buffer = new byte[64 * 1024];
        private Socket? _socket;

        public async Task<int> SendAsync(byte[] request)
        {
            if (_socket is null)
            {
                _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await _socket.ConnectAsync(IPAddress.Loopback, port);
            }

            await _socket.SendAsync(request);
            var filled = 0;
            while (true)
            {
                var read = await _socket.ReceiveAsync(_buffer.AsMemory(filled)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
                filled += read;
                var text = Encoding.Latin1.GetString(_buffer, 0, filled);
                var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                Assert.True(read > 0 || head >= 0, $"no response to {Encoding.Latin1.GetString(request)}");
                var isClosed = read == 0 || text.Contains("\r\nConnection: close", StringComparison.Ordinal);
                if (head >= 0 && (isClosed || IsComplete(text, head + 4, isHead: request.AsSpan().StartsWith("HEAD "u8))))
                {
                    if (isClosed)
                        Dispose();
                    return int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
                }
            }
        }

        public void Dispose()
        {
            _socket?.Dispose();
            _socket = null;
        }

        private static bool IsComplete(string text, int body, bool isHead)
        {
            const string Length = "\r\nContent-Length: ";
            var at = text.IndexOf(Length, StringComparison.Ordinal);
            if (isHead || at < 0 || at > body)
                return isHead || text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal);
            var length = text.AsSpan(at + Length.Length);
            return text.Length >= body + int.Parse(length[..length.IndexOf('\r')], CultureInfo.InvariantCulture);
        }
    }
}
