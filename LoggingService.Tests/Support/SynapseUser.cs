using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>
/// A user who is logged in at a homeserver. Methods that return a <see cref="MatrixResponse"/> return error responses as well;
/// methods that return an id throw a <see cref="HttpRequestException"/> for them.
/// </summary>
/// <remarks>
/// A content that is a string is sent as JSON unchanged; any other content is serialized.
/// https://spec.matrix.org/latest/client-server-api/
/// </remarks>
internal sealed class SynapseUser : IDisposable
{
    private readonly HttpClient _http;

    private SynapseUser(Uri homeserver, string? token)
    {
        // Ignores the proxy of a developer's environment.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = homeserver,
            Timeout = TimeSpan.FromSeconds(90),
        };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        AccessToken = token ?? "";
    }

    /// <summary>The user id, such as <c>@alice:localhost</c>; empty for <see cref="Anonymous"/>.</summary>
    public string Id { get; private set; } = "";

    /// <summary>The access token; empty for <see cref="Anonymous"/>.</summary>
    public string AccessToken { get; }

    /// <summary>Registers a user and logs in.</summary>
    public static async Task<SynapseUser> RegisterAsync(Uri homeserver, string localpart)
    {
        using var anonymous = Anonymous(homeserver);
        var registered = await anonymous.RequestAsync(HttpMethod.Post, "/_matrix/client/v3/register", new
        {
            username = localpart,
            password = $"the password of {localpart}",
            auth = new { type = "m.login.dummy" },
        });
        return new SynapseUser(homeserver, registered.Get("access_token")) { Id = registered.Get("user_id") };
    }

    /// <summary>The user of an existing token, for example an application service's as_token.</summary>
    public static async Task<SynapseUser> FromTokenAsync(Uri homeserver, string token)
    {
        var user = new SynapseUser(homeserver, token);
        user.Id = (await user.WhoAmIAsync()).Get("user_id");
        return user;
    }

    /// <summary>A client that isn't logged in.</summary>
    public static SynapseUser Anonymous(Uri homeserver) => new(homeserver, null);

    public Task<MatrixResponse> WhoAmIAsync() => RequestAsync(HttpMethod.Get, "/_matrix/client/v3/account/whoami");

    public Task<MatrixResponse> JoinAsync(string roomIdOrAlias) =>
        RequestAsync(HttpMethod.Post, $"/_matrix/client/v3/join/{Escape(roomIdOrAlias)}", new { });

    /// <summary>Leaves a room, or rejects an invitation.</summary>
    public Task<MatrixResponse> LeaveAsync(string roomId, string? reason = null) =>
        RoomAsync(roomId, "leave", new { reason });

    public Task<MatrixResponse> InviteAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "invite", new { user_id = userId, reason });

    public Task<MatrixResponse> KickAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "kick", new { user_id = userId, reason });

    public Task<MatrixResponse> BanAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "ban", new { user_id = userId, reason });

    public Task<MatrixResponse> UnbanAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "unban", new { user_id = userId, reason });

    /// <summary>Creates a room (<c>room_alias_name</c>, <c>preset</c>, <c>name</c> …) and returns its id.</summary>
    public async Task<string> CreateRoomAsync(object content) =>
        (await RequestAsync(HttpMethod.Post, "/_matrix/client/v3/createRoom", content)).Get("room_id");

    /// <summary>Creates a public room, with an alias if given, and returns its id.</summary>
    public Task<string> CreatePublicRoomAsync(string? aliasLocalpart = null) => CreateRoomAsync(
        aliasLocalpart is null
            ? new { preset = "public_chat" }
            : new { preset = "public_chat", room_alias_name = aliasLocalpart });

    public Task<MatrixResponse> FindAliasAsync(string alias) => RequestAsync(HttpMethod.Get, DirectoryPath(alias));

    public Task<MatrixResponse> PutAliasAsync(string alias, string roomId) =>
        RequestAsync(HttpMethod.Put, DirectoryPath(alias), new { room_id = roomId });

    public Task<MatrixResponse> DeleteAliasAsync(string alias) => RequestAsync(HttpMethod.Delete, DirectoryPath(alias));

    /// <summary>Sends an <c>m.text</c> message and returns the event id.</summary>
    public Task<string> SayAsync(string roomId, string text) =>
        SendAsync(roomId, "m.room.message", new { msgtype = "m.text", body = text });

    /// <summary>Sends an event of any type and returns its id.</summary>
    public async Task<string> SendAsync(string roomId, string type, object content) =>
        (await RoomAsync(roomId, $"send/{Escape(type)}/{Guid.NewGuid():N}", content, HttpMethod.Put)).Get("event_id");

    /// <summary>Sends a state event and returns its id.</summary>
    public async Task<string> SetStateAsync(string roomId, string type, object content, string stateKey = "") =>
        (await RoomAsync(roomId, $"state/{Escape(type)}/{Escape(stateKey)}", content, HttpMethod.Put)).Get("event_id");

    /// <summary>Redacts an event and returns the id of the redaction.</summary>
    public async Task<string> RedactAsync(string roomId, string eventId, string? reason = null) =>
        (await RoomAsync(roomId, $"redact/{Escape(eventId)}/{Guid.NewGuid():N}", new { reason }, HttpMethod.Put)).Get("event_id");

    /// <summary>Changes the display name, in all rooms of the user.</summary>
    public Task<MatrixResponse> SetDisplayNameAsync(string name) =>
        RequestAsync(HttpMethod.Put, $"/_matrix/client/v3/profile/{Escape(Id)}/displayname", new { displayname = name });

    /// <summary>Uploads a file and returns its <c>mxc://</c> URI.</summary>
    public async Task<string> UploadAsync(byte[] bytes, string fileName, string contentType = "text/plain")
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        var path = $"/_matrix/media/v3/upload?filename={Escape(fileName)}";
        return (await SendAsync(HttpMethod.Post, path, content)).Get("content_uri");
    }

    /// <summary>Sends any other request.</summary>
    public async Task<MatrixResponse> RequestAsync(HttpMethod method, string path, object? content = null)
    {
        using var body = content is null
            ? null
            : new StringContent(content as string ?? JsonSerializer.Serialize(content, OmitNulls), Encoding.UTF8, "application/json");
        return await SendAsync(method, path, body);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static readonly JsonSerializerOptions OmitNulls =
        new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    // Events may nest deeper than the default limit of 64.
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = 10_000 };

    private Task<MatrixResponse> RoomAsync(string roomId, string action, object content, HttpMethod? method = null) =>
        RequestAsync(method ?? HttpMethod.Post, $"/_matrix/client/v3/rooms/{Escape(roomId)}/{action}", content);

    private async Task<MatrixResponse> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new MatrixResponse((int)response.StatusCode, JsonElement.Parse(body, AnyDepth));
    }

    private static string DirectoryPath(string alias) => $"/_matrix/client/v3/directory/room/{Escape(alias)}";

    private static string Escape(string part) => Uri.EscapeDataString(part);
}
