using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>
/// The homeserver's client API, as far as a test says what it answers. A call that nobody expected is answered 500 and
/// fails the test at its end. The calls of the check at start are expected; a test may say otherwise.
/// </summary>
internal sealed class StubHomeserver : HttpMessageHandler
{
    private readonly ConcurrentDictionary<string, Func<Request, Task<Response>>> _answers = new();
    private readonly ConcurrentQueue<Request> _calls = new();
    private readonly ConcurrentQueue<string> _unexpected = new();

    public StubHomeserver()
    {
        On("GET /_matrix/client/versions", """{"versions":["v1.19"]}""");
        On("POST /_matrix/client/v3/register", 400, """{"errcode":"M_USER_IN_USE","error":"taken"}""");
        On("GET /_matrix/client/v3/account/whoami", """{"user_id":"@logging:localhost"}""");
        On("GET /_matrix/client/v3/joined_rooms", """{"joined_rooms":[]}""");
        On("POST /_matrix/client/v1/appservice/logging/ping", """{"duration_ms":1}""");
    }

    /// <summary>A call that came.</summary>
    /// <param name="Line">Method and path, percent-encoded as it was sent.</param>
    /// <param name="Body">The body, or empty.</param>
    /// <param name="Authorization">The Authorization header.</param>
    /// <param name="Query">What follows the path.</param>
    public sealed record Request(string Line, string Body, string? Authorization, string Query);

    /// <summary>What is answered.</summary>
    public sealed record Response(int Status, string Body, string? RetryAfter = null);

    /// <summary>All calls so far, in order.</summary>
    public IReadOnlyList<Request> Calls => [.. _calls];

    /// <summary>Calls that nobody expected.</summary>
    public IReadOnlyList<string> Unexpected => [.. _unexpected];

    /// <summary>Answers a call, given as <c>GET /path</c>; a line that ends in <c>*</c> answers all that begin so.</summary>
    public StubHomeserver On(string line, string body) => On(line, 200, body);

    public StubHomeserver On(string line, int status, string body) => On(line, _ => Task.FromResult(new Response(status, body)));

    public StubHomeserver On(string line, Func<Request, Task<Response>> answer)
    {
        _answers[line] = answer;
        return this;
    }

    /// <summary>The room has no alias that we could be told of, as for a non-member: 403 to every …/aliases.</summary>
    public StubHomeserver WithoutAliases() => On("GET /_matrix/client/v3/rooms/*", 403, """{"errcode":"M_FORBIDDEN","error":"You aren't a member of the room"}""")
        .On("GET /_matrix/client/v3/directory/room/*", 404, """{"errcode":"M_NOT_FOUND","error":"Room alias not found"}""");

    /// <summary>What a member of a room is told of its aliases.</summary>
    public StubHomeserver AliasesOf(string roomId, params IEnumerable<string> aliases) =>
        On(AliasesLine(roomId), $$"""{"aliases":{{JsonSerializer.Serialize(aliases)}}}""");

    /// <summary>An alias leads to a room.</summary>
    public StubHomeserver Alias(string alias, string roomId) =>
        On(AliasLine(alias), $$"""{"room_id":{{JsonSerializer.Serialize(roomId)}},"servers":["localhost"]}""");

    /// <summary>The call that asks for a room's aliases.</summary>
    public static string AliasesLine(string roomId) => $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(roomId)}/aliases";

    /// <summary>The call that asks where an alias leads to, or another method of the same path.</summary>
    public static string AliasLine(string alias, string method = "GET") => $"{method} /_matrix/client/v3/directory/room/{Uri.EscapeDataString(alias)}";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var line = $"{request.Method} {request.RequestUri!.AbsolutePath}";
        var call = new Request(line, request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken), request.Headers.Authorization?.ToString(), request.RequestUri.Query);
        _calls.Enqueue(call);
        var known = _answers.TryGetValue(line, out var answer)
            || (_answers.Keys.Where(key => key.EndsWith('*') && line.StartsWith(key[..^1], StringComparison.Ordinal)).MaxBy(key => key.Length) is { } prefix && _answers.TryGetValue(prefix, out answer));
        if (!known)
        {
            _unexpected.Enqueue(line);
        }

        var (status, body, retryAfter) = known ? await answer!(call).WaitAsync(cancellationToken) : new Response(500, """{"errcode":"M_UNKNOWN","error":"the test didn't expect this call"}""");
        var response = new HttpResponseMessage((HttpStatusCode)status) { RequestMessage = request, Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (retryAfter is not null)
        {
            response.Headers.Add("Retry-After", retryAfter);
        }

        return response;
    }
}
