using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace LoggingService.Demo;

/// <summary>A user of the demo's homeserver who joins a room that doesn't exist yet and sends what the admin types.</summary>
internal sealed class DemoChat(DemoHomeserver homeserver, string localpart)
{
    public const string Alias = $"#logged_demo:{DemoHomeserver.Name}";

    private readonly string _roomId = $"!{RandomNumberGenerator.GetHexString(18)}:{DemoHomeserver.Name}";

    public string UserId { get; } = $"@{localpart}:{DemoHomeserver.Name}";

    public async Task JoinAsync(CancellationToken cancellation)
    {
        const string service = $"@logging:{DemoHomeserver.Name}";
        await homeserver.QueryAliasAsync($"/_matrix/app/v1/rooms/{Uri.EscapeDataString(Alias)}", _roomId, cancellation);
        await PushAsync(cancellation,
            Event(service, "m.room.create", "", new() { ["room_version"] = "11" }),
            Event(service, "m.room.member", service, new() { ["membership"] = "join" }),
            Event(service, "m.room.canonical_alias", "", new() { ["alias"] = Alias }),
            Event(service, "m.room.history_visibility", "", new() { ["history_visibility"] = "world_readable" }),
            Event(UserId, "m.room.member", UserId, new() { ["membership"] = "join" }));
    }

    /// <summary>Sends a message; a line that begins with <c>/me </c> is an emote.</summary>
    public Task SendAsync(string line, CancellationToken cancellation)
    {
        var isEmote = line.StartsWith("/me ", StringComparison.Ordinal);
        return PushAsync(cancellation, Event(UserId, "m.room.message", stateKey: null, new()
        {
            ["msgtype"] = isEmote ? "m.emote" : "m.text",
            ["body"] = isEmote ? line["/me ".Length..] : line,
        }));
    }

    public Task LeaveAsync(CancellationToken cancellation) =>
        PushAsync(cancellation, Event(UserId, "m.room.member", UserId, new() { ["membership"] = "leave" }));

    private Task PushAsync(CancellationToken cancellation, params JsonNode[] events) =>
        homeserver.PushAsync(new JsonObject { ["events"] = new JsonArray(events) }.ToJsonString(), cancellation);

    private JsonObject Event(string sender, string type, string? stateKey, JsonObject content)
    {
        var e = new JsonObject
        {
            ["content"] = content,
            ["event_id"] = $"${RandomNumberGenerator.GetHexString(43)}",
            ["origin_server_ts"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            ["room_id"] = _roomId,
            ["sender"] = sender,
            ["type"] = type,
        };
        if (stateKey is not null)
        {
            e["state_key"] = stateKey;
        }

        return e;
    }
}
