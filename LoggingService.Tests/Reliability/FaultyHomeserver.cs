using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A homeserver on a bare socket. It responds to the creation of <c>#logged_f3:…</c> with the fault at index 3 and to all other
/// requests correctly; or to all requests with one fault.
/// </summary>
internal sealed class FaultyHomeserver : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private int _pendingResponses;
    private int _created;

    public FaultyHomeserver()
    {
        _listener.Start();
        Address = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _ = AcceptAsync();
    }

    /// <summary>A response: the bytes sent at once, and what follows. The service detects slow ones only by a timeout.</summary>
    public sealed record Fault(string Name, string Sent, Ending Then = Ending.KeepAlive, bool IsSlow = false);

    public enum Ending
    {
        /// <summary>The connection stays open for the next request.</summary>
        KeepAlive,

        /// <summary>The connection is closed.</summary>
        Close,

        /// <summary>No more bytes follow.</summary>
        Hang,

        /// <summary>One byte a second.</summary>
        Drip,

        /// <summary>As many bytes as the connection takes, without end.</summary>
        Flood,
    }

    public static IReadOnlyList<Fault> Faults { get; } =
    [
        new("429", Response("429 Too Many Requests", """{"errcode":"M_LIMIT_EXCEEDED"}""")),
        new("429, Retry-After 1", Response("429 Too Many Requests", "{}", "Retry-After: 1\r\n")),
        new("429, Retry-After long past", Response("429 Too Many Requests", "{}", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n")),
        new("429, Retry-After of 68 years", Response("429 Too Many Requests", "{}", "Retry-After: 2147483647\r\n"), IsSlow: true),
        new("429, Retry-After of an hour", Response("429 Too Many Requests", "{}", "Retry-After: 3600\r\n"), IsSlow: true),
        new("429, Retry-After rubbish", Response("429 Too Many Requests", "<html>", "Retry-After: soon\r\n")),
        new("429, retry_after_ms 100", Response("429 Too Many Requests", """{"retry_after_ms":100}""")),
        new("429, retry_after_ms of wrong types", Response("429 Too Many Requests", """{"retry_after_ms":{"a":["1e999"]}}""")),
        new("429, retry_after_ms of a year", Response("429 Too Many Requests", """{"retry_after_ms":31536000000}"""), IsSlow: true),
        new("429, a body that never comes", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 1000\r\n\r\n{", Ending.Hang, IsSlow: true),
        new("429, a body that never ends", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 99999999999\r\n\r\n{", Ending.Flood),
        new("502 HTML", Response("502 Bad Gateway", "<html><h1>502 Bad Gateway</h1></html>")),
        new("hanging", "", Ending.Hang, IsSlow: true),
        new("hanging in the head", "HTTP/1.1 200 OK\r\nContent-", Ending.Hang, IsSlow: true),
        new("hanging in the body", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"room_id\":", Ending.Hang, IsSlow: true),
        new("dripping", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", Ending.Drip, IsSlow: true),
        new("dropping at once", "", Ending.Close),
        new("dropping in the head", "HTTP/1.1 200 OK\r\nConte", Ending.Close),
        new("dropping in the body", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"room_id\":", Ending.Close),
        new("no HTTP", "220 mail.example.org ESMTP\r\n", Ending.Close),
        new("half of JSON", Response("200 OK", "{\"room_id\":")),
        new("HTML", Response("200 OK", "<html>Welcome to nginx!</html>")),
        new("null", Response("200 OK", "null")),
        new("wrong types", Response("200 OK", """{"room_id":5,"user_id":["@x"],"joined_rooms":{"a":1},"aliases":"x","versions":7}""")),
        new("a user without a server", Response("200 OK", """{"user_id":"logging","joined_rooms":[null,5]}""")),
        new("an error of wrong types", Response("403 Forbidden", """{"errcode":{"a":1},"error":[[["no"]]]}""")),
        new("deep JSON", Response("200 OK", new string('[', 1_000_000))),
        new("an answer that never ends", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{\"room_id\":\"", Ending.Flood),
        new("a head that never ends", "HTTP/1.1 200 OK\r\nX: ", Ending.Flood),
        new("round in circles", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /_matrix/client/v3/createRoom\r\nContent-Length: 0\r\n\r\n"),
    ];

    public string Address { get; }

    /// <summary>The response to all requests; <c>null</c> for correct responses.</summary>
    public Fault? FaultForAll { get; set; }

    /// <summary>The number of incomplete responses that the service hasn't aborted yet.</summary>
    public int PendingResponses => Volatile.Read(ref _pendingResponses);

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private static string Response(string status, string body, string headers = "") =>
        $"HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token), _end.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient connection, CancellationToken end)
    {
        try
        {
            using (connection)
            {
                var stream = connection.GetStream();
                var isOpen = true;
                while (isOpen && await ReadRequestAsync(stream, end) is { } request)
                {
                    isOpen = await RespondAsync(stream, FaultFor(request) ?? new("none", CorrectResponseTo(request)), end);
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The service has disconnected, or the test has ended.
        }
    }

    private Fault? FaultFor(string request)
    {
        if (FaultForAll is not null || !request.StartsWith("POST /_matrix/client/v3/createRoom", StringComparison.Ordinal))
            return FaultForAll;
        var alias = Regex.Match(request, "\"logged_f([0-9]+)\"");
        return alias.Success ? Faults[int.Parse(alias.Groups[1].Value, CultureInfo.InvariantCulture)] : null;
    }

    private string CorrectResponseTo(string request) => request.Split(' ')[1] switch
    {
        "/_matrix/client/v3/account/whoami" => Response("200 OK", """{"user_id":"@logging:localhost"}"""),
        "/_matrix/client/v3/joined_rooms" => Response("200 OK", """{"joined_rooms":[]}"""),
        "/_matrix/client/v3/register" => Response("400 Bad Request", """{"errcode":"M_USER_IN_USE","error":"taken"}"""),
        "/_matrix/client/v3/createRoom" => Response("200 OK", $$"""{"room_id":"!made{{Interlocked.Increment(ref _created)}}:localhost"}"""),
        "/_matrix/client/v1/appservice/logging/ping" => Response("404 Not Found", """{"errcode":"M_UNRECOGNIZED","error":"no ping"}"""),
        _ when request.StartsWith("GET /_matrix/client/v3/directory/", StringComparison.Ordinal) =>
            Response("403 Forbidden", """{"errcode":"M_FORBIDDEN","error":"no directory"}"""),
        _ when request.StartsWith("GET /_matrix/client/v3/rooms/", StringComparison.Ordinal) =>
            Response("403 Forbidden", """{"errcode":"M_FORBIDDEN","error":"no member"}"""),
        _ => Response("200 OK", "{}"),
    };

    private async Task<bool> RespondAsync(NetworkStream stream, Fault fault, CancellationToken end)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(fault.Sent), end);
        if (fault.Then is Ending.KeepAlive or Ending.Close)
            return fault.Then == Ending.KeepAlive;

        // Until the service disconnects.
        Interlocked.Increment(ref _pendingResponses);
        try
        {
            while (fault.Then == Ending.Drip)
            {
                await stream.WriteAsync(" "u8.ToArray(), end);
                await Task.Delay(1000, end);
            }

            while (fault.Then == Ending.Flood)
                await stream.WriteAsync(new byte[64 * 1024], end);
            await stream.ReadExactlyAsync(new byte[1], end);
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _pendingResponses);
        }
    }

    private static async Task<string?> ReadRequestAsync(NetworkStream stream, CancellationToken end)
    {
        var request = new StringBuilder();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var text = request.ToString();
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head >= 0 && text.Length >= head + 4 + ContentLength(text))
                return text;

            var read = await stream.ReadAsync(buffer, end);
            if (read == 0)
                return null;
            request.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
    }

    private static int ContentLength(string request)
    {
        var length = Regex.Match(request, "Content-Length: ([0-9]+)");
        return length.Success ? int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }
}
