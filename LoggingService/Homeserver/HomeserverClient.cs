using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using LoggingService.Metrics;
using LoggingService.Registration;
using LoggingService.Rendering;
using Polly.Timeout;

namespace LoggingService.Homeserver;

/// <summary>
/// The calls of the homeserver's client API, one method each. They throw <see cref="HomeserverException"/> if the homeserver
/// refuses, cannot be reached or does not respond with JSON, and <see cref="OperationCanceledException"/> on cancellation.
/// </summary>
internal sealed class HomeserverClient(
    HttpClient http, AppServiceRegistration registration, RegistrationTokens tokens, HomeserverContact contact)
{
    private const int MaxReasonLength = 500;

    /// <summary>Needs no token, and sends none: the address may be wrong.</summary>
    public Task GetVersionsAsync(CancellationToken cancellation) => SendAsync(HttpMethod.Get, "versions", null, null, cancellation);

    /// <summary>Whether a homeserver responds at another address.</summary>
    public async Task<bool> IsHomeserverAsync(Uri address, CancellationToken cancellation)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(address, "_matrix/client/versions"), cancellation);
            var body = await response.Content.ReadAsByteArrayAsync(cancellation);
            return response.IsSuccessStatusCode && RawJson.TryParse(body, out var json, out _) && json["versions"u8].Items().Count > 0;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or TimeoutRejectedException)
        {
            return false;
        }
    }

    public async Task<string> WhoAmIAsync(CancellationToken cancellation)
    {
        var response = await CallAsync(HttpMethod.Get, "v3/account/whoami", null, cancellation);
        var id = response["user_id"u8].AsString();
        if (id is not ['@', ..] || !id.Contains(':', StringComparison.Ordinal))
        {
            throw new HomeserverException("GET whoami", 200, null, "the response has no valid user_id");
        }

        return id;
    }

    /// <summary>Registers the service's own user, if it is missing (Application Service API, "Server admin style permissions").</summary>
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

    /// <summary>Makes the homeserver call this service (Application Service API, "Ping").</summary>
    /// <param name="cancellation">Cancels the call.</param>
    /// <param name="transactionId">Comes back in the homeserver's request.</param>
    public Task PingAsync(CancellationToken cancellation, string? transactionId = null)
    {
        var body = new JsonObject();
        if (transactionId is not null)
        {
            body["transaction_id"] = transactionId;
        }

        return CallAsync(HttpMethod.Post, $"v1/appservice/{Escape(registration.Id)}/ping", body, cancellation);
    }

    public async Task<IReadOnlyList<string>> GetJoinedRoomsAsync(CancellationToken cancellation) =>
        Strings((await CallAsync(HttpMethod.Get, "v3/joined_rooms", null, cancellation))["joined_rooms"u8]);

    /// <summary>The aliases of a room on the homeserver. 403 for non-members, unless the room is world readable.</summary>
    public async Task<IReadOnlyList<string>> GetAliasesAsync(string roomId, CancellationToken cancellation) =>
        Strings((await CallAsync(HttpMethod.Get, $"v3/rooms/{Escape(roomId)}/aliases", null, cancellation))["aliases"u8]);

    /// <summary>
    /// The room of an alias, or <c>null</c> if the homeserver says that it does not exist: the 404 of a proxy says nothing. The homeserver
    /// may query this service for the alias before it responds.
    /// </summary>
    public async Task<string?> ResolveAliasAsync(RoomAlias alias, CancellationToken cancellation)
    {
        try
        {
            return (await CallAsync(HttpMethod.Get, DirectoryPath(alias), null, cancellation))["room_id"u8].AsString();
        }
        catch (HomeserverException e) when (e is { Status: 404, Errcode: "M_NOT_FOUND" })
        {
            return null;
        }
    }

    /// <summary>Makes an alias resolve to a room; false if the alias exists already.</summary>
    public async Task<bool> PutAliasAsync(RoomAlias alias, string roomId, CancellationToken cancellation)
    {
        try
        {
            await CallAsync(HttpMethod.Put, DirectoryPath(alias), new() { ["room_id"] = roomId }, cancellation);
            return true;
        }
        catch (HomeserverException e) when (e.Status == 409 || e.Errcode == "M_ROOM_IN_USE")
        {
            return false;
        }
    }

    /// <summary>Removes an alias, also one of a room that our user is no member of; false if there is none.</summary>
    public async Task<bool> DeleteAliasAsync(RoomAlias alias, CancellationToken cancellation)
    {
        try
        {
            await CallAsync(HttpMethod.Delete, DirectoryPath(alias), null, cancellation);
            return true;
        }
        catch (HomeserverException e) when (e is { Status: 404, Errcode: "M_NOT_FOUND" })
        {
            return false;
        }
    }

    /// <summary>Makes a call as the service's own user.</summary>
    /// <param name="path">Below <c>/_matrix/client/</c>, escaped, with its query.</param>
    /// <param name="isSlow">It may take long for one room: a timeout is no sign that the homeserver does not run.</param>
    public async Task<RawJson> CallAsync(
        HttpMethod method, string path, JsonObject? body, CancellationToken cancellation, bool isSlow = false)
    {
        // More than one after a rotation: the homeserver accepts the previous token, or since its restart the new one.
        var candidates = tokens.AsTokens;
        for (var i = 0; ; i++)
        {
            try
            {
                var response = await SendAsync(method, path, body, candidates[i], cancellation, isSlow);
                tokens.Prefer(candidates[i]);
                return response;
            }
            catch (HomeserverException e) when (e.Status == 401 && i + 1 < candidates.Count)
            {
                // The next one.
            }
        }
    }

    private async Task<RawJson> SendAsync(
        HttpMethod method, string path, JsonObject? body, string? asToken, CancellationToken cancellation, bool isSlow = false)
    {
        var call = $"{method} /_matrix/client/{path}";
        using var request = new HttpRequestMessage(method, $"_matrix/client/{path}");
        if (asToken is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", asToken);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        try
        {
            using var response = await http.SendAsync(request, cancellation);
            ServiceMetrics.RecordHomeserverRequest(1, method.Method, (int)response.StatusCode);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
            var isJson = RawJson.TryParse(bytes, out var json, out _);
            if (response.IsSuccessStatusCode && isJson)
            {
                if (asToken is not null)
                {
                    contact.Note(error: null);
                }

                return json;
            }

            var redirectedTo = GetRedirect(response);
            if (redirectedTo is not null)
            {
                throw Failed(new(call, (int)response.StatusCode, null, $"redirects to {redirectedTo}, which is not followed")
                {
                    RedirectedTo = redirectedTo,
                });
            }

            var reason = SafeText.Escape(json["error"u8].AsString() ?? (isJson ? "" : "(the response is not JSON)"));
            reason = reason[..Math.Min(reason.Length, MaxReasonLength)];
            var badStatus = json["status"u8].AsInteger();
            throw Failed(new(call, (int)response.StatusCode, json["errcode"u8].AsString(), reason) { BadStatus = badStatus });
        }
        catch (Exception e) when (e is not HomeserverException)
        {
            cancellation.ThrowIfCancellationRequested();
            ServiceMetrics.RecordHomeserverRequest(1, method.Method, status: null);
            var reason = e is HttpRequestException { InnerException: { } inner } ? inner.Message : e.Message;
            throw Failed(new(call, null, null, reason, e));
        }

        HomeserverException Failed(HomeserverException e)
        {
            contact.Note(e, isSlow);
            return e;
        }
    }

    /// <summary>The address to use instead of the configured one, without user, query and the path of the API.</summary>
    private static string? GetRedirect(HttpResponseMessage response)
    {
        if ((int)response.StatusCode is < 300 or >= 400 || response.Headers.Location is not { } location)
        {
            return null;
        }

        var target = new Uri(response.RequestMessage!.RequestUri!, location);
        var api = target.AbsolutePath.IndexOf("/_matrix/", StringComparison.Ordinal);
        var path = api >= 0 ? target.AbsolutePath[..api] : target.AbsolutePath.TrimEnd('/');
        return SafeText.Escape($"{target.Scheme}://{target.Authority}{path}");
    }

    private static string DirectoryPath(RoomAlias alias) => $"v3/directory/room/{Escape(alias.ToString())}";

    private static List<string> Strings(RawJson array) => [.. array.Items().Select(item => item.AsString()).OfType<string>()];

    /// <summary>Escapes a part of a path.</summary>
    public static string Escape(string id) => Uri.EscapeDataString(id);
}
