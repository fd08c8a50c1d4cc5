using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using LoggingService.Options;
using LoggingService.Registration;

namespace LoggingService.Demo;

/// <summary>
/// What the service needs of a homeserver to show itself: the calls that it makes are answered, and what happens in rooms
/// is pushed to it. It listens on the loopback address and keeps nothing.
/// </summary>
internal sealed class DemoHomeserver : IAsyncDisposable
{
    /// <summary>Its server name.</summary>
    public const string Name = "localhost";

    private readonly WebApplication _server;
    private readonly HttpClient _service = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ConcurrentDictionary<string, string> _rooms = new();
    private readonly AppServiceRegistration _registration;
    private string? _nextRoom;
    private int _transactions;

    private DemoHomeserver(WebApplication server, AppServiceRegistration registration)
    {
        (_server, _registration) = (server, registration);
        _service.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", registration.HsToken);
        server.Run(AnswerAsync);
    }

    /// <summary>Where the service finds it.</summary>
    public string Url => _server.Urls.Single();

    /// <summary>Where it finds the service.</summary>
    public Uri? Service
    {
        get => _service.BaseAddress;
        set => _service.BaseAddress = value;
    }

    /// <summary>Starts one that knows the service by a registration.</summary>
    public static async Task<DemoHomeserver> StartAsync(AppServiceRegistration registration)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var homeserver = new DemoHomeserver(builder.Build(), registration);
        await homeserver._server.StartAsync();
        return homeserver;
    }

    /// <summary>Lets an alias lead to a room.</summary>
    public void Alias(string alias, string roomId) => _rooms[alias] = roomId;

    /// <summary>Somebody joins an alias that isn't there: the service is asked to make its room.</summary>
    /// <param name="target">The query's path, with the alias.</param>
    /// <param name="roomId">The id that the room gets.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task AskAsync(string target, string roomId, CancellationToken cancellation)
    {
        _nextRoom = roomId;
        using var answer = await _service.GetAsync(target, cancellation);
        await ExpectOkAsync(answer, cancellation);
    }

    /// <summary>Pushes a transaction.</summary>
    /// <param name="body">Its body.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task PushAsync(string body, CancellationToken cancellation)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _service.PutAsync($"/_matrix/app/v1/transactions/{++_transactions}", content, cancellation);
        await ExpectOkAsync(answer, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _service.Dispose();
        await _server.DisposeAsync();
    }

    private static async Task ExpectOkAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        if (!answer.IsSuccessStatusCode)
        {
            // Who stops the demo stops the service as well, which makes no more rooms then.
            cancellation.ThrowIfCancellationRequested();
            throw new ConfigurationException($"The demo ends here: the service answered {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellation)}");
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var (status, answer) = (http.Request.Method, path["/_matrix/client/".Length..].Split('/')) switch
        {
            ("GET", ["versions"]) => (200, new JsonObject { ["versions"] = new JsonArray("v1.19") }),
            ("GET", [_, "account", "whoami"]) => (200, new() { ["user_id"] = $"@{_registration.SenderLocalpart}:{Name}" }),
            ("GET", [_, "joined_rooms"]) => (200, new() { ["joined_rooms"] = new JsonArray() }),
            ("GET", [_, "rooms", var room, "aliases"]) => (200, new() { ["aliases"] = new JsonArray([.. _rooms.Where(pair => pair.Value == room).Select(pair => (JsonNode)pair.Key)]) }),
            ("GET", [_, "directory", "room", var alias]) when _rooms.TryGetValue(alias, out var room) => (200, new() { ["room_id"] = room }),
            ("PUT", [_, "directory", "room", var alias]) => Put(alias, await JsonNode.ParseAsync(http.Request.Body)),
            ("POST", [_, "createRoom"]) => (200, new() { ["room_id"] = _nextRoom }),
            ("POST", [_, "register"]) or ("PUT", [_, "rooms", ..]) => (200, []),
            ("POST", [_, "appservice", _, "ping"]) => (200, new() { ["duration_ms"] = 1 }),
            _ => (404, new() { ["errcode"] = "M_NOT_FOUND", ["error"] = "The demo has no such thing." }),
        };
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.ToJsonString());
    }

    private (int Status, JsonObject Answer) Put(string alias, JsonNode? body)
    {
        _rooms[alias] = (string)body!["room_id"]!;
        return (200, []);
    }
}
