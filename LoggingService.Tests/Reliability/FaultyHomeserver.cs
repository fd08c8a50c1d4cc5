using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A homeserver on a bare socket, of which anything can come: it makes a room for <c>#logged_f3:…</c> in its fourth nasty
/// way, and everything else well; or everything in one nasty way.
/// </summary>
internal sealed class FaultyHomeserver : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private int _unended;
    private int _made;

    public FaultyHomeserver()
    {
        _listener.Start();
        Address = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _ = AcceptAsync();
    }

    /// <summary>A way to answer: what is sent of an answer, and how it ends.</summary>
    /// <param name="Name">What it is called.</param>
    /// <param name="Sent">What is sent at once.</param>
    /// <param name="Then">What comes after that.</param>
    /// <param name="TakesItsTime">Whether the service finds out only by waiting.</param>
    public sealed record Way(string Name, string Sent, Ending Then = Ending.Well, bool TakesItsTime = false);

    /// <summary>How an answer ends.</summary>
    public enum Ending
    {
        /// <summary>The connection stays, for the next call.</summary>
        Well,

        /// <summary>The connection is closed.</summary>
        Closed,

        /// <summary>Nothing more comes.</summary>
        Nothing,

        /// <summary>A byte a second.</summary>
        Drips,

        /// <summary>As much as the connection takes, for ever.</summary>
        Endless,
    }

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Way> Ways { get; } =
    [
        new("429", Answer("429 Too Many Requests", """{"errcode":"M_LIMIT_EXCEEDED"}""")),
        new("429, Retry-After 1", Answer("429 Too Many Requests", "{}", "Retry-After: 1\r\n")),
        new("429, Retry-After long past", Answer("429 Too Many Requests", "{}", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n")),
        new("429, Retry-After of 68 years", Answer("429 Too Many Requests", "{}", "Retry-After: 2147483647\r\n"), TakesItsTime: true),
        new("429, Retry-After of an hour", Answer("429 Too Many Requests", "{}", "Retry-After: 3600\r\n"), TakesItsTime: true),
        new("429, Retry-After rubbish", Answer("429 Too Many Requests", "<html>", "Retry-After: soon\r\n")),
        new("429, retry_after_ms 100", Answer("429 Too Many Requests", """{"retry_after_ms":100}""")),
        new("429, retry_after_ms of wrong types", Answer("429 Too Many Requests", """{"retry_after_ms":{"a":["1e999"]}}""")),
        new("429, retry_after_ms of a year", Answer("429 Too Many Requests", """{"retry_after_ms":31536000000}"""), TakesItsTime: true),
        new("429, a body that never comes", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 1000\r\n\r\n{", Ending.Nothing, TakesItsTime: true),
        new("429, a body that never ends", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 99999999999\r\n\r\n{", Ending.Endless),
        new("502 HTML", Answer("502 Bad Gateway", "<html><h1>502 Bad Gateway</h1></html>")),
        new("hanging", "", Ending.Nothing, TakesItsTime: true),
        new("hanging in the head", "HTTP/1.1 200 OK\r\nContent-", Ending.Nothing, TakesItsTime: true),
        new("hanging in the body", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"room_id\":", Ending.Nothing, TakesItsTime: true),
        new("dripping", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", Ending.Drips, TakesItsTime: true),
        new("dropping at once", "", Ending.Closed),
        new("dropping in the head", "HTTP/1.1 200 OK\r\nConte", Ending.Closed),
        new("dropping in the body", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"room_id\":", Ending.Closed),
        new("no HTTP", "220 mail.example.org ESMTP\r\n", Ending.Closed),
        new("half of JSON", Answer("200 OK", "{\"room_id\":")),
        new("HTML", Answer("200 OK", "<html>Welcome to nginx!</html>")),
        new("null", Answer("200 OK", "null")),
        new("wrong types", Answer("200 OK", """{"room_id":5,"user_id":["@x"],"joined_rooms":{"a":1},"aliases":"x","versions":7}""")),
        new("a user without a server", Answer("200 OK", """{"user_id":"logging","joined_rooms":[null,5]}""")),
        new("an error of wrong types", Answer("403 Forbidden", """{"errcode":{"a":1},"error":[[["no"]]]}""")),
        new("deep JSON", Answer("200 OK", new string('[', 1_000_000))),
        new("an answer that never ends", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{\"room_id\":\"", Ending.Endless),
        new("a head that never ends", "HTTP/1.1 200 OK\r\nX: ", Ending.Endless),
        new("round in circles", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /_matrix/client/v3/createRoom\r\nContent-Length: 0\r\n\r\n"),
    ];

    /// <summary>Its base address.</summary>
    public string Address { get; }

    /// <summary>The way in which it answers everything; <c>null</c> for well.</summary>
    public Way? Everything { get; set; }

    /// <summary>Answers that have no end, and that the service has not hung up on yet.</summary>
    public int Unended => Volatile.Read(ref _unended);

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private static string Answer(string status, string body, string headers = "") =>
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
            // Ended.
        }
    }

    private async Task ServeAsync(TcpClient connection, CancellationToken end)
    {
        try
        {
            using (connection)
            {
                var stream = connection.GetStream();
                while (await ReadCallAsync(stream, end) is { } call && await AnswerAsync(stream, WayOf(call) ?? new("well", WellTo(call)), end))
                {
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The service has hung up, or the test is over.
        }
    }

    private Way? WayOf(string call) =>
        Everything ?? (call.StartsWith("POST /_matrix/client/v3/createRoom", StringComparison.Ordinal) && Regex.Match(call, "\"logged_f([0-9]+)\"") is { Success: true } nasty
            ? Ways[int.Parse(nasty.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)]
            : null);

    private string WellTo(string call) => call.Split(' ')[1] switch
    {
        "/_matrix/client/v3/account/whoami" => Answer("200 OK", """{"user_id":"@logging:localhost"}"""),
        "/_matrix/client/v3/joined_rooms" => Answer("200 OK", """{"joined_rooms":[]}"""),
        "/_matrix/client/v3/register" => Answer("400 Bad Request", """{"errcode":"M_USER_IN_USE","error":"taken"}"""),
        "/_matrix/client/v3/createRoom" => Answer("200 OK", $$"""{"room_id":"!made{{Interlocked.Increment(ref _made)}}:localhost"}"""),
        _ when call.StartsWith("GET /_matrix/client/v3/rooms/", StringComparison.Ordinal) => Answer("403 Forbidden", """{"errcode":"M_FORBIDDEN","error":"no member"}"""),
        _ => Answer("200 OK", "{}"),
    };

    private async Task<bool> AnswerAsync(NetworkStream stream, Way way, CancellationToken end)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(way.Sent), end);
        if (way.Then is Ending.Well or Ending.Closed)
            return way.Then == Ending.Well;

        // To the moment in which the service hangs up.
        Interlocked.Increment(ref _unended);
        try
        {
            for (; way.Then == Ending.Drips; await Task.Delay(1000, end))
                await stream.WriteAsync(" "u8.ToArray(), end);
            while (way.Then == Ending.Endless)
                await stream.WriteAsync(new byte[64 * 1024], end);
            await stream.ReadExactlyAsync(new byte[1], end);
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _unended);
        }
    }

    private static async Task<string?> ReadCallAsync(NetworkStream stream, CancellationToken end)
    {
        var (call, buffer) = (new StringBuilder(), new byte[16 * 1024]);
        while (true)
        {
            var text = call.ToString();
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is var head and >= 0
                && text.Length >= head + 4 + (Regex.Match(text, "Content-Length: ([0-9]+)") is { Success: true } length ? int.Parse(length.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : 0))
                return text;

            var read = await stream.ReadAsync(buffer, end);
            if (read == 0)
                return null;
            call.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
    }
}
