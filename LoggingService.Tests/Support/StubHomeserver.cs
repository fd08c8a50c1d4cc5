using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>
/// The homeserver's client-server API with the responses that a test defines. An unexpected call gets a 500 and fails the
/// test when it ends. The calls of the startup check have default responses.
/// </summary>
internal sealed class StubHomeserver : HttpMessageHandler
{
    private readonly ConcurrentDictionary<string, Func<Request, Task<Response>>> _responses = new();
    private readonly ConcurrentQueue<Request> _calls = new();
    private readonly ConcurrentQueue<string> _unexpected = new();
    private readonly ConcurrentQueue<string> _checkedAliases = new();
    private int _created;

    public StubHomeserver()
    {
        On("GET /_matrix/client/versions", """{"versions":["v1.19"]}""");
        On("POST /_matrix/client/v3/register", 400, """{"errcode":"M_USER_IN_USE","error":"taken"}""");
        On("GET /_matrix/client/v3/account/whoami", """{"user_id":"@logging:localhost"}""");
        On("GET /_matrix/client/v3/joined_rooms", """{"joined_rooms":[]}""");
        WithPing();
    }

    /// <summary>A received request; the line is the method and the percent-encoded path.</summary>
    public sealed record Request(string Line, string Body, string? Authorization, string Query);

    public sealed record Response(int Status, string Body, string? RetryAfter = null);

    /// <summary>The received calls, without the lookups of aliases that check the connection.</summary>
    public IReadOnlyList<Request> Calls => [.. _calls];

    /// <summary>The aliases that were looked up to check the connection.</summary>
    public IReadOnlyList<string> CheckedAliases => [.. _checkedAliases];

    /// <summary>The service to call back, once it runs.</summary>
    public TaskCompletionSource<HttpClient> Service { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the copy of the registration has the service's aliases.</summary>
    public bool HasAliases { get; set; } = true;

    /// <summary>How many rooms <see cref="CreatingRooms"/> created.</summary>
    public int CreatedRooms => _created;

    public IReadOnlyList<string> Unexpected => [.. _unexpected];

    /// <summary>Defines the response to a line such as <c>GET /path</c>; a line that ends in <c>*</c> matches by prefix.</summary>
    public StubHomeserver On(string line, string body) => On(line, 200, body);

    public StubHomeserver On(string line, int status, string body) => On(line, _ => Task.FromResult(new Response(status, body)));

    public StubHomeserver On(string line, Func<Request, Task<Response>> respond)
    {
        _responses[line] = respond;
        return this;
    }

    /// <summary>Calls the service back for a ping, as a homeserver does that reaches it.</summary>
    public StubHomeserver WithPing() => On("POST /_matrix/client/v1/appservice/logging/ping", async request =>
    {
        using var body = new StringContent(request.Body, Encoding.UTF8, "application/json");
        using var response = await (await Service.Task).PostAsync("/_matrix/app/v1/ping", body);
        return new(200, """{"duration_ms":1}""");
    });

    /// <summary>Responds to every alias lookup as for a non-member (403), and to every directory lookup with 404.</summary>
    public StubHomeserver WithoutAliases() => this
        .On("GET /_matrix/client/v3/rooms/*", 403, """{"errcode":"M_FORBIDDEN","error":"You aren't a member of the room"}""")
        .On("GET /_matrix/client/v3/directory/room/*", 404, """{"errcode":"M_NOT_FOUND","error":"Room alias not found"}""");

    /// <summary>Refuses each join, and lets our user leave rooms and decline invitations.</summary>
    public StubHomeserver RefusingJoins() => this
        .On("POST /_matrix/client/v3/join/*", 403, """{"errcode":"M_FORBIDDEN","error":"You are not invited to this room."}""")
        .On("POST /_matrix/client/v3/rooms/*", "{}");

    /// <summary>Creates the rooms !made1:localhost, !made2:localhost, …, and accepts every alias and canonical alias.</summary>
    /// <param name="aliasPut">Receives the room id and the alias of each alias that is put.</param>
    public StubHomeserver CreatingRooms(Action<string, string>? aliasPut = null) => WithoutAliases()
        .On(AliasQueries.CreateRoom, _ =>
        {
            var roomId = $"!made{Interlocked.Increment(ref _created)}:localhost";
            return Task.FromResult(new Response(200, $$"""{"room_id":"{{roomId}}"}"""));
        })
        .On("PUT /_matrix/client/v3/rooms/*", """{"event_id":"$canonical"}""")
        .On("POST /_matrix/client/v3/rooms/*", "{}")
        .On("PUT /_matrix/client/v3/directory/room/*", request =>
        {
            var roomId = JsonElement.Parse(request.Body).GetProperty("room_id").GetString()!;
            aliasPut?.Invoke(roomId, Uri.UnescapeDataString(request.Line[(request.Line.LastIndexOf('/') + 1)..]));
            return Task.FromResult(new Response(200, "{}"));
        });

    /// <summary>Defines the aliases that a member of a room gets.</summary>
    public StubHomeserver AliasesOf(string roomId, params IEnumerable<string> aliases) =>
        On(AliasesLine(roomId), $$"""{"aliases":{{JsonSerializer.Serialize(aliases)}}}""");

    /// <summary>Defines the room of an alias in the directory.</summary>
    public StubHomeserver Alias(string alias, string roomId) =>
        On(AliasLine(alias), $$"""{"room_id":{{JsonSerializer.Serialize(roomId)}},"servers":["localhost"]}""");

    /// <summary>Defines the history that our user may read.</summary>
    public StubHomeserver History(StubHistory history) => On(history.Line, history.RespondAsync);

    /// <summary>The request for a room's aliases.</summary>
    public static string AliasesLine(string roomId) => $"GET /_matrix/client/v3/rooms/{Uri.EscapeDataString(roomId)}/aliases";

    /// <summary>The request for the room of an alias, or another method on the same path.</summary>
    public static string AliasLine(string alias, string method = "GET") =>
        $"{method} /_matrix/client/v3/directory/room/{Uri.EscapeDataString(alias)}";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var line = $"{request.Method} {request.RequestUri!.AbsolutePath}";
        var content = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var call = new Request(line, content, request.Headers.Authorization?.ToString(), request.RequestUri.Query);
        if (line.StartsWith("GET /_matrix/client/v3/directory/room/%23", StringComparison.Ordinal) && line.Contains("check-"))
        {
            var alias = line.Split('/')[^1];
            _checkedAliases.Enqueue(Uri.UnescapeDataString(alias));
            using var queried = HasAliases
                ? await (await Service.Task.WaitAsync(cancellationToken)).GetAsync($"/_matrix/app/v1/rooms/{alias}", cancellationToken)
                : null;
            Assert.NotEqual(HttpStatusCode.OK, queried?.StatusCode);
            return new HttpResponseMessage(HttpStatusCode.NotFound)
            {
                RequestMessage = request,
                Content = new StringContent("""{"errcode":"M_NOT_FOUND","error":"Room alias not found"}"""),
            };
        }

        if (IsUnreadableHistory(line))
        {
            return new HttpResponseMessage(HttpStatusCode.Forbidden)
            {
                RequestMessage = request,
                Content = new StringContent("""{"errcode":"M_FORBIDDEN","error":"You aren't a member of the room"}"""),
            };
        }

        _calls.Enqueue(call);
        var (status, body, retryAfter) = await RespondAsync(call).WaitAsync(cancellationToken);
        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            RequestMessage = request,
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (status is > 300 and < 400)
        {
            response.Headers.Location = new Uri($"https://matrix.example.org{request.RequestUri.PathAndQuery}");
        }

        if (retryAfter is not null)
        {
            response.Headers.Add("Retry-After", retryAfter);
        }

        return response;
    }

    /// <summary>The service looks for gaps in the background of any test.</summary>
    private bool IsUnreadableHistory(string line) =>
        line.StartsWith("GET /_matrix/client/v3/rooms/", StringComparison.Ordinal)
        && line.EndsWith("/messages", StringComparison.Ordinal)
        && !_responses.ContainsKey(line);

    private Task<Response> RespondAsync(Request call)
    {
        var prefixes = _responses.Keys.Where(key => key.EndsWith('*') && call.Line.StartsWith(key[..^1], StringComparison.Ordinal));
        var key = _responses.ContainsKey(call.Line) ? call.Line : prefixes.MaxBy(prefix => prefix.Length);
        if (key is null)
        {
            _unexpected.Enqueue(call.Line);
            return Task.FromResult(new Response(500, """{"errcode":"M_UNKNOWN","error":"the test didn't expect this call"}"""));
        }

        return _responses[key](call);
    }
}
