using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using LoggingService.Events;
using LoggingService.Registration;
using LoggingService.Rendering;

namespace LoggingService.Homeserver;

/// <summary>
/// The homeserver's client API, as far as the service calls it, one method a call. Each throws
/// <see cref="HomeserverException"/> where the homeserver refuses, can't be reached or answers no JSON, and
/// <see cref="OperationCanceledException"/> where it was cancelled.
/// </summary>
internal sealed class HomeserverClient(HttpClient http, AppServiceRegistration registration)
{
    /// <summary>Whether it answers at all. (Client-Server API, <c>GET /_matrix/client/versions</c>)</summary>
    public Task VersionsAsync(CancellationToken cancellation) => CallAsync(HttpMethod.Get, "versions", null, cancellation);

    /// <summary>The user id of the service's own user. (<c>GET /_matrix/client/v3/account/whoami</c>)</summary>
    public async Task<string> WhoAmIAsync(CancellationToken cancellation) =>
        (await CallAsync(HttpMethod.Get, "v3/account/whoami", null, cancellation))["user_id"u8].AsString() is ['@', ..] id && id.Contains(':', StringComparison.Ordinal)
        ? id
        : throw new HomeserverException("GET whoami", 200, null, "the answer names no user");

    /// <summary>Registers the service's own user; it is fine if it is already. (Application Service API, "Server admin style permissions")</summary>
    public async Task EnsureRegisteredAsync(CancellationToken cancellation)
    {
        try
        {
            await CallAsync(HttpMethod.Post, "v3/register", new()
            {
                ["type"] = "m.login.application_service",
                ["username"] = registration.SenderLocalpart,
                ["inhibit_login"] = true,
            }, cancellation);
        }
        catch (HomeserverException e) when (e.Errcode == "M_USER_IN_USE")
        {
        }
    }

    /// <summary>Asks the homeserver to call this service back. (Application Service API, <c>POST /_matrix/client/v1/appservice/{id}/ping</c>)</summary>
    public Task PingAsync(CancellationToken cancellation) => CallAsync(HttpMethod.Post, $"v1/appservice/{Uri.EscapeDataString(registration.Id)}/ping", [], cancellation);

    /// <summary>The rooms that the service's own user is joined to. (<c>GET /_matrix/client/v3/joined_rooms</c>)</summary>
    public async Task<IReadOnlyList<string>> JoinedRoomsAsync(CancellationToken cancellation) =>
        Strings((await CallAsync(HttpMethod.Get, "v3/joined_rooms", null, cancellation))["joined_rooms"u8]);

    /// <summary>The aliases that a room has on the homeserver. (<c>GET /_matrix/client/v3/rooms/{roomId}/aliases</c>; 403 for who is no member of a room that isn't world readable)</summary>
    public async Task<IReadOnlyList<string>> AliasesOfAsync(string roomId, CancellationToken cancellation) =>
        Strings((await CallAsync(HttpMethod.Get, $"v3/rooms/{Escape(roomId)}/aliases", null, cancellation))["aliases"u8]);

    /// <summary>The room that an alias leads to; <c>null</c> if there is none. (<c>GET /_matrix/client/v3/directory/room/{roomAlias}</c>) The homeserver may ask this service for the alias meanwhile.</summary>
    public async Task<string?> ResolveAsync(RoomAlias alias, CancellationToken cancellation)
    {
        try
        {
            return (await CallAsync(HttpMethod.Get, $"v3/directory/room/{Escape(alias.ToString())}", null, cancellation))["room_id"u8].AsString();
        }
        catch (HomeserverException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>
    /// Makes a public room for an alias, without the alias. (<c>POST /_matrix/client/v3/createRoom</c>)
    /// </summary>
    /// <param name="alias">What the room is for.</param>
    /// <param name="creator">The user id of the service's own user.</param>
    /// <param name="moderators">User ids that get power level 50.</param>
    /// <param name="cancellation">Ends the wait; the room may be made all the same.</param>
    /// <returns>The room's id.</returns>
    public async Task<string> CreateRoomAsync(RoomAlias alias, string creator, IReadOnlyList<string> moderators, CancellationToken cancellation)
    {
        try
        {
            return await CreateRoomAsync(alias, creator, moderators, namesCreator: true, cancellation);
        }
        catch (HomeserverException e) when (e.Status == 400 && moderators.Count > 0)
        {
            // From room version 12 on the creator must not be among the power levels' users; before, they must be.
            return await CreateRoomAsync(alias, creator, moderators, namesCreator: false, cancellation);
        }
    }

    /// <summary>Makes an alias lead to a room. (<c>PUT /_matrix/client/v3/directory/room/{roomAlias}</c>)</summary>
    /// <returns>False if the alias exists already.</returns>
    public async Task<bool> PutAliasAsync(RoomAlias alias, string roomId, CancellationToken cancellation)
    {
        try
        {
            await CallAsync(HttpMethod.Put, $"v3/directory/room/{Escape(alias.ToString())}", new() { ["room_id"] = roomId }, cancellation);
            return true;
        }
        catch (HomeserverException e) when (e.Status == 409 || e.Errcode == "M_ROOM_IN_USE")
        {
            return false;
        }
    }

    /// <summary>Makes an alias the room's main one. (<c>PUT …/rooms/{roomId}/state/m.room.canonical_alias</c>)</summary>
    public Task PutCanonicalAliasAsync(string roomId, RoomAlias alias, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Put, $"v3/rooms/{Escape(roomId)}/state/m.room.canonical_alias", new() { ["alias"] = alias.ToString() }, cancellation);

    private async Task<string> CreateRoomAsync(RoomAlias alias, string creator, IReadOnlyList<string> moderators, bool namesCreator, CancellationToken cancellation)
    {
        // All of events: it replaces the homeserver's defaults. An encrypted room can't be logged.
        var powerLevels = new JsonObject
        {
            ["events"] = new JsonObject
            {
                ["m.room.name"] = 50,
                ["m.room.avatar"] = 50,
                ["m.room.canonical_alias"] = 50,
                ["m.room.history_visibility"] = 100,
                ["m.room.power_levels"] = 100,
                ["m.room.server_acl"] = 100,
                ["m.room.tombstone"] = 100,
                ["m.room.encryption"] = 100,
            },
        };
        if (moderators.Count > 0)
        {
            var users = new JsonObject();
            if (namesCreator)
            {
                users[creator] = 100;
            }

            foreach (var moderator in moderators)
            {
                users[moderator] = 50;
            }

            powerLevels["users"] = users;
        }

        var made = await CallAsync(HttpMethod.Post, "v3/createRoom", new()
        {
            ["preset"] = "public_chat",
            ["name"] = SafeText.Escape(alias.Localpart),
            ["topic"] = $"Messages in this room are logged by {creator}.",
            ["power_level_content_override"] = powerLevels,
        }, cancellation);
        return made["room_id"u8].AsString() ?? throw new HomeserverException("POST createRoom", 200, null, "the answer names no room");
    }

    private async Task<RawJson> CallAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellation)
    {
        var call = $"{method} /_matrix/client/{path}";
        using var request = new HttpRequestMessage(method, $"_matrix/client/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", registration.AsToken);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        try
        {
            using var response = await http.SendAsync(request, cancellation);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellation);
            var isJson = RawJson.TryParse(answer, out var json, out _);
            if (response.IsSuccessStatusCode && isJson)
            {
                return json;
            }

            var said = SafeText.Escape(json["error"u8].AsString() ?? (isJson ? "" : "(an answer that is no JSON)"));
            throw new HomeserverException(call, (int)response.StatusCode, json["errcode"u8].AsString(), said[..Math.Min(said.Length, 500)]) { BadStatus = json["status"u8].AsInteger() };
        }
        catch (Exception e) when (e is not HomeserverException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new HomeserverException(call, null, null, e is HttpRequestException { InnerException: { } inner } ? inner.Message : e.Message, e);
        }
    }

    private static List<string> Strings(RawJson array) => [.. array.Items().Select(item => item.AsString()).OfType<string>()];

    private static string Escape(string id) => Uri.EscapeDataString(id);
}
