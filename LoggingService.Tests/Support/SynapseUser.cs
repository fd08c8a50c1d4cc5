using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>
/// Somebody who is logged in at a homeserver. A method that returns a <see cref="MatrixResponse"/> returns refusals too;
/// one that returns an id throws a <see cref="HttpRequestException"/> when it is refused.
/// </summary>
/// <remarks>
/// Where a content is asked for, a string is JSON as it is to be sent, and anything else is serialized.
/// https://spec.matrix.org/latest/client-server-api/
/// </remarks>
internal sealed class SynapseUser : IDisposable
{
    private readonly HttpClient _http;

    private SynapseUser(Uri homeserver, string? token)
    {
        // A developer's proxy is for the world outside.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = homeserver,
            Timeout = TimeSpan.FromSeconds(90),
        };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        AccessToken = token ?? "";
    }

    /// <summary>The user's id: <c>@alice:localhost</c>; empty for <see cref="Anonymous"/>.</summary>
    public string Id { get; private set; } = "";

    /// <summary>The token of the user's requests; empty for <see cref="Anonymous"/>.</summary>
    public string AccessToken { get; }

    /// <summary>Registers a user, who is logged in thereby.</summary>
    public static async Task<SynapseUser> RegisterAsync(Uri homeserver, string localpart)
    {
        using var nobody = Anonymous(homeserver);
        var registered = await nobody.RequestAsync(HttpMethod.Post, "/_matrix/client/v3/register", new
        {
            username = localpart,
            password = $"the password of {localpart}",
            auth = new { type = "m.login.dummy" },
        });
        return new SynapseUser(homeserver, registered.Get("access_token")) { Id = registered.Get("user_id") };
    }

    /// <summary>The user of a token that is there already, for example an application service's as_token.</summary>
    public static async Task<SynapseUser> FromTokenAsync(Uri homeserver, string token)
    {
        var user = new SynapseUser(homeserver, token);
        user.Id = (await user.WhoAmIAsync()).Get("user_id");
        return user;
    }

    /// <summary>Somebody who isn't logged in, and can only ask what anybody may ask.</summary>
    public static SynapseUser Anonymous(Uri homeserver) => new(homeserver, null);

    /// <summary>Asks the homeserver who the user is.</summary>
    public Task<MatrixResponse> WhoAmIAsync() => RequestAsync(HttpMethod.Get, "/_matrix/client/v3/account/whoami");

    /// <summary>Joins a room, by its id or by an alias.</summary>
    public Task<MatrixResponse> JoinAsync(string roomIdOrAlias) =>
        RequestAsync(HttpMethod.Post, $"/_matrix/client/v3/join/{Escape(roomIdOrAlias)}", new { });

    /// <summary>Leaves a room, or rejects an invitation to it.</summary>
    public Task<MatrixResponse> LeaveAsync(string roomId, string? reason = null) =>
        RoomAsync(roomId, "leave", new { reason });

    /// <summary>Invites somebody into a room.</summary>
    public Task<MatrixResponse> InviteAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "invite", new { user_id = userId, reason });

    /// <summary>Throws somebody out of a room.</summary>
    public Task<MatrixResponse> KickAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "kick", new { user_id = userId, reason });

    /// <summary>Throws somebody out of a room for good.</summary>
    public Task<MatrixResponse> BanAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "ban", new { user_id = userId, reason });

    /// <summary>Takes back a ban.</summary>
    public Task<MatrixResponse> UnbanAsync(string roomId, string userId, string? reason = null) =>
        RoomAsync(roomId, "unban", new { user_id = userId, reason });

    /// <summary>Makes a room (<c>room_alias_name</c>, <c>preset</c>, <c>name</c> …).</summary>
    /// <returns>The room's id.</returns>
    public async Task<string> CreateRoomAsync(object content) =>
        (await RequestAsync(HttpMethod.Post, "/_matrix/client/v3/createRoom", content)).Get("room_id");

    /// <summary>Makes a public room, with this alias if one is given.</summary>
    /// <returns>The room's id.</returns>
    public Task<string> CreatePublicRoomAsync(string? aliasLocalpart = null) => CreateRoomAsync(
        aliasLocalpart is null
            ? new { preset = "public_chat" }
            : new { preset = "public_chat", room_alias_name = aliasLocalpart });

    /// <summary>Looks an alias up in the directory.</summary>
    public Task<MatrixResponse> FindAliasAsync(string alias) => RequestAsync(HttpMethod.Get, DirectoryPath(alias));

    /// <summary>Gives a room an alias.</summary>
    public Task<MatrixResponse> PutAliasAsync(string alias, string roomId) =>
        RequestAsync(HttpMethod.Put, DirectoryPath(alias), new { room_id = roomId });

    /// <summary>Takes an alias out of the directory.</summary>
    public Task<MatrixResponse> DeleteAliasAsync(string alias) => RequestAsync(HttpMethod.Delete, DirectoryPath(alias));

    /// <summary>Says something (<c>m.text</c>).</summary>
    /// <returns>The id of the event.</returns>
    public Task<string> SayAsync(string roomId, string text) =>
        SendAsync(roomId, "m.room.message", new { msgtype = "m.text", body = text });

    /// <summary>Sends an event of any type, with a transaction id of its own.</summary>
    /// <returns>The id of the event.</returns>
    public async Task<string> SendAsync(string roomId, string type, object content) =>
        (await RoomAsync(roomId, $"send/{Escape(type)}/{Guid.NewGuid():N}", content, HttpMethod.Put)).Get("event_id");

    /// <summary>Sets a piece of a room's state.</summary>
    /// <returns>The id of the event.</returns>
    public async Task<string> SetStateAsync(string roomId, string type, object content, string stateKey = "") =>
        (await RoomAsync(roomId, $"state/{Escape(type)}/{Escape(stateKey)}", content, HttpMethod.Put)).Get("event_id");

    /// <summary>Empties an event.</summary>
    /// <returns>The id of the redaction.</returns>
    public async Task<string> RedactAsync(string roomId, string eventId, string? reason = null) =>
        (await RoomAsync(roomId, $"redact/{Escape(eventId)}/{Guid.NewGuid():N}", new { reason }, HttpMethod.Put)).Get("event_id");

    /// <summary>Changes the user's display name, in all of the user's rooms.</summary>
    public Task<MatrixResponse> SetDisplayNameAsync(string name) =>
        RequestAsync(HttpMethod.Put, $"/_matrix/client/v3/profile/{Escape(Id)}/displayname", new { displayname = name });

    /// <summary>Uploads a file.</summary>
    /// <returns>Its <c>mxc://</c> address.</returns>
    public async Task<string> UploadAsync(byte[] bytes, string fileName, string contentType = "text/plain")
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        var path = $"/_matrix/media/v3/upload?filename={Escape(fileName)}";
        return (await SendAsync(HttpMethod.Post, path, content)).Get("content_uri");
    }

    /// <summary>Asks the homeserver anything else.</summary>
    public async Task<MatrixResponse> RequestAsync(HttpMethod method, string path, object? content = null)
    {
        using var body = content is null
            ? null
            : new StringContent(content as string ?? JsonSerializer.Serialize(content, LeaveOutNulls), Encoding.UTF8, "application/json");
        return await SendAsync(method, path, body);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static readonly JsonSerializerOptions LeaveOutNulls =
        new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    // Events nest deeper than System.Text.Json's 64.
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = 10_000 };

    private Task<MatrixResponse> RoomAsync(string roomId, string what, object content, HttpMethod? method = null) =>
        RequestAsync(method ?? HttpMethod.Post, $"/_matrix/client/v3/rooms/{Escape(roomId)}/{what}", content);

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
