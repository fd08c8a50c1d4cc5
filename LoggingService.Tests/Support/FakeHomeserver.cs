using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>
/// A homeserver's client-server API on a socket, for a service process: knows the service, and the aliases that it is given. It calls the
/// service back for a ping and for an alias, if it has its address.
/// </summary>
internal sealed class FakeHomeserver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly List<string> _calls = [];

    public FakeHomeserver()
    {
        Address = $"http://127.0.0.1:{FreePort.Next()}";
        _listener.Prefixes.Add($"{Address}/");
        _listener.Start();
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        _ = RespondAsync();
    }

    public string Address { get; }

    /// <summary>The url of the service in the homeserver's copy of the registration; without it, nothing is called.</summary>
    public string? Service { get; set; }

    /// <summary>The beginning of aliases in the homeserver's copy of the registration.</summary>
    public string AliasPrefix { get; set; } = "#logged_";

    /// <summary>Creates rooms, and accepts their aliases and their state.</summary>
    public bool CreatesRooms { get; set; }

    /// <summary>Redirects all calls to this address.</summary>
    public string? RedirectsTo { get; set; }

    /// <summary>Pushes a transaction before each ping, queries an alias, and pushes with a wrong token.</summary>
    public bool PushesAtPing { get; set; }

    /// <summary>The history of a room that our user may read; that of others it may not.</summary>
    public StubHistory? History { get; init; }

    /// <summary>The rooms of aliases.</summary>
    public ConcurrentDictionary<string, string> Aliases { get; } = new();

    /// <summary>The statuses of the responses to <see cref="PushesAtPing"/>.</summary>
    public IReadOnlyList<int> PushStatuses { get; private set; } = [];

    /// <summary>The received calls, such as <c>GET /path</c>, each with the Authorization header in parentheses if there is one.</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    public void Dispose()
    {
        _listener.Close();
        _http.Dispose();
    }

    private async Task RespondAsync()
    {
        try
        {
            while (true)
            {
                _ = RespondAsync(await _listener.GetContextAsync());
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task RespondAsync(HttpListenerContext call)
    {
        try
        {
            var path = call.Request.Url!.AbsolutePath;
            var token = call.Request.Headers["Authorization"];
            lock (_calls)
            {
                _calls.Add($"{call.Request.HttpMethod} {path}{(token is null ? "" : $" ({token})")}");
            }

            if (RedirectsTo is not null)
            {
                call.Response.Redirect(RedirectsTo + path);
                call.Response.Close();
                return;
            }

            var (status, body) = path switch
            {
                "/_matrix/client/versions" => (200, """{"versions":["v1.19"]}"""),
                "/_matrix/client/v3/account/whoami" => (200, """{"user_id":"@logging:localhost"}"""),
                "/_matrix/client/v3/joined_rooms" => (200, """{"joined_rooms":[]}"""),
                "/_matrix/client/v1/appservice/logging/ping" => await PingAsync(call.Request.InputStream),
                "/_matrix/client/v3/createRoom" when CreatesRooms => (200, """{"room_id":"!created:localhost"}"""),
                _ when CreatesRooms && call.Request.HttpMethod == "PUT" => (200, "{}"),
                _ when path.EndsWith("/messages", StringComparison.Ordinal)
                    || path.Contains("/context/")
                    || path.Contains("/timestamp_to") => await Task.Run(() => ReadHistory(call.Request)),
                "/_matrix/client/v3/register" => (400, """{"errcode":"M_USER_IN_USE","error":"taken"}"""),
                _ when Aliases.TryGetValue(Uri.UnescapeDataString(path.Split('/')[^1]), out var roomId) =>
                    (200, $$"""{"room_id":"{{roomId}}","servers":["localhost"]}"""),
                _ => await QueryAliasAsync(Uri.UnescapeDataString(path.Split('/')[^1])),
            };
            call.Response.StatusCode = status;
            call.Response.ContentType = "application/json";
            call.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: false);
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
        {
            // The service has ended.
        }
    }

    private (int Status, string Body) ReadHistory(HttpListenerRequest request)
    {
        var path = request.Url!.AbsolutePath;
        if (History is null || !Uri.UnescapeDataString(path).Contains(History.RoomId))
        {
            return (403, """{"errcode":"M_FORBIDDEN","error":"not a member"}""");
        }

        var (status, body, _) = true switch
        {
            _ when path.Contains("/context/") => History.RespondContext(Uri.UnescapeDataString(path.Split('/')[^1])),
            _ when path.Contains("/timestamp_to") => History.RespondTimestamp(
                long.Parse(request.QueryString["ts"]!, System.Globalization.CultureInfo.InvariantCulture)),
            _ => History.Respond(request.Url.Query),
        };
        return (status, body);
    }

    private async Task<(int Status, string Body)> PingAsync(Stream body)
    {
        using var content = new StreamContent(body);
        try
        {
            if (PushesAtPing)
            {
                using var queried = await _http.GetAsync($"{Service}/_matrix/app/v1/rooms/%23logged_x:localhost");
                PushStatuses = [await PushAsync(), (int)queried.StatusCode];
                _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
                PushStatuses = [.. PushStatuses, await PushAsync()];
                _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
            }

            using var response = Service is null ? null : await _http.PostAsync($"{Service}/_matrix/app/v1/ping", content);
            return response is null or { StatusCode: HttpStatusCode.OK }
                ? (200, """{"duration_ms":1}""")
                : (502, $$"""{"errcode":"M_BAD_STATUS","error":"not 200","status":{{(int)response.StatusCode}}}""");
        }
        catch (HttpRequestException)
        {
            return (502, """{"errcode":"M_CONNECTION_FAILED","error":"Connection refused"}""");
        }
    }

    private async Task<int> PushAsync()
    {
        using var content = new StringContent("""{"events":[]}""", Encoding.UTF8, "application/json");
        using var response = await _http.PutAsync($"{Service}/_matrix/app/v1/transactions/1", content);
        return (int)response.StatusCode;
    }

    private async Task<(int Status, string Body)> QueryAliasAsync(string alias)
    {
        if (Service is not null && alias.StartsWith(AliasPrefix, StringComparison.Ordinal))
        {
            using var response = await _http.GetAsync($"{Service}/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");
            Assert.NotEqual(HttpStatusCode.OK, response.StatusCode);
        }

        return (404, """{"errcode":"M_NOT_FOUND","error":"none"}""");
    }
}
