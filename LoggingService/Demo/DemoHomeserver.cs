using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using LoggingService.Registration;

namespace LoggingService.Demo;

/// <summary>A minimal homeserver on the loopback address: responds to the service's calls, pushes events, stores nothing.</summary>
internal sealed class DemoHomeserver : IAsyncDisposable
{
    public const string Name = "localhost";

    private readonly WebApplication _server;
    private readonly HttpClient _service = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ConcurrentDictionary<string, string> _rooms = new();
    private readonly string _userId;

    // The service may call before it has started completely.
    private readonly TaskCompletionSource _isServiceSet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _nextRoom;
    private int _transactions;

    private DemoHomeserver(WebApplication server, AppServiceRegistration registration)
    {
        _server = server;
        _userId = $"@{registration.SenderLocalpart}:{Name}";
        _service.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", registration.HsToken);
        server.Run(RespondAsync);
    }

    public string Url => _server.Urls.Single();

    public static async Task<DemoHomeserver> StartAsync(AppServiceRegistration registration)
    {
        // Reads no settings, and logs nothing.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var homeserver = new DemoHomeserver(builder.Build(), registration);
        await homeserver._server.StartAsync();
        return homeserver;
    }

    public void SetService(string url)
    {
        _service.BaseAddress = new Uri(url);
        _isServiceSet.SetResult();
    }

    /// <summary>Queries an alias without a room, as when a user joins it: the service creates the room, which gets the id.</summary>
    public Task QueryAliasAsync(string target, string roomId, CancellationToken cancellation)
    {
        _nextRoom = roomId;
        return EnsureSuccessAsync(_service.GetAsync(target, cancellation), cancellation);
    }

    public Task PushAsync(string body, CancellationToken cancellation)
    {
        _transactions++;
        var content = new StringContent(body, Encoding.UTF8, "application/json");
        return EnsureSuccessAsync(_service.PutAsync($"/_matrix/app/v1/transactions/{_transactions}", content, cancellation), cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _service.Dispose();
        await _server.DisposeAsync();
    }

    private static async Task EnsureSuccessAsync(Task<HttpResponseMessage> request, CancellationToken cancellation)
    {
        using var response = await request;
        if (!response.IsSuccessStatusCode)
        {
            // Ctrl-C stops the service as well, which then creates no more rooms.
            cancellation.ThrowIfCancellationRequested();
            var body = await response.Content.ReadAsStringAsync(cancellation);
            throw new FatalException($"Demo stopped: the service responded {(int)response.StatusCode} {body}");
        }
    }

    private async Task RespondAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var (status, body) = (http.Request.Method, path["/_matrix/client/".Length..].Split('/')) switch
        {
            ("GET", ["versions"]) => (200, new JsonObject { ["versions"] = new JsonArray("v1.19") }),
            ("GET", [_, "account", "whoami"]) => (200, new() { ["user_id"] = _userId }),
            ("GET", [_, "joined_rooms"]) => (200, new() { ["joined_rooms"] = new JsonArray() }),
            ("GET", [_, "rooms", var room, "aliases"]) => (200, new() { ["aliases"] = AliasesOf(room) }),
            ("GET", [_, "directory", "room", var alias]) when _rooms.TryGetValue(alias, out var id) => (200, new() { ["room_id"] = id }),
            ("PUT", [_, "directory", "room", var alias]) => (200, await PutAliasAsync(alias, http.Request.Body)),
            ("POST", [_, "createRoom"]) => (200, new() { ["room_id"] = _nextRoom }),
            ("POST", [_, "register"]) or ("PUT", [_, "rooms", ..]) => (200, []),
            ("POST", [_, "appservice", _, "ping"]) => (200, await PingAsync(http.Request.Body)),
            ("GET", [_, "directory", "room", var alias]) => (404, await QueryAliasAsync(alias)),
            _ => (404, new() { ["errcode"] = "M_NOT_FOUND", ["error"] = "Not supported by the demo" }),
        };
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body.ToJsonString());
    }

    private async Task<JsonObject> PingAsync(Stream body)
    {
        await _isServiceSet.Task;
        using var content = new StreamContent(body);
        using var response = await _service.PostAsync("/_matrix/app/v1/ping", content);
        return new() { ["duration_ms"] = 1 };
    }

    private async Task<JsonObject> QueryAliasAsync(string alias)
    {
        await _isServiceSet.Task;
        using var response = await _service.GetAsync($"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");
        return new() { ["errcode"] = "M_NOT_FOUND", ["error"] = "Room alias not found" };
    }

    private JsonArray AliasesOf(string room) => new([.. _rooms.Where(pair => pair.Value == room).Select(pair => (JsonNode)pair.Key)]);

    private async Task<JsonObject> PutAliasAsync(string alias, Stream body)
    {
        _rooms[alias] = (string)(await JsonNode.ParseAsync(body))!["room_id"]!;
        return [];
    }
}
