using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>Arbitrary values, unique where that matters.</summary>
internal static class Some
{
    private static int count;

    public static string RoomId() => $"!room{Interlocked.Increment(ref count)}:localhost";

    public static string EventId() => $"$event{Interlocked.Increment(ref count)}";

    /// <summary>JSON arrays within each other.</summary>
    public static string NestedArrays(int depth) => new string('[', depth) + new string(']', depth);

    /// <summary>A message as Synapse pushes it.</summary>
    public static string Message(
        string roomId, string body = "hello", string? eventId = null, long? at = null, string sender = "@alice:localhost")
    {
        var content = $$"""{"body":{{JsonSerializer.Serialize(body)}},"msgtype":"m.text"}""";
        var id = JsonSerializer.Serialize(eventId ?? EventId());
        var time = at ?? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        return $$"""{"content":{{content}},"event_id":{{id}},"origin_server_ts":{{time}},"room_id":{{JsonSerializer.Serialize(roomId)}}"""
            + $$""","sender":"{{sender}}","type":"m.room.message","unsigned":{"age":37},"user_id":"{{sender}}"}""";
    }

    /// <summary>A state event; its content is JSON.</summary>
    public static string State(string roomId, string type, string content, string stateKey = "", string sender = "@alice:localhost") =>
        $$"""{"content":{{content}},"event_id":"{{EventId()}}","origin_server_ts":1795461611000,"room_id":"{{roomId}}","""
        + $$"""
            "sender":"{{sender}}","state_key":"{{stateKey}}","type":"{{type}}"}
            """;

    public static string CanonicalAlias(string roomId, string alias, params IEnumerable<string> others) => State(
        roomId, "m.room.canonical_alias", $$"""{"alias":"{{alias}}","alt_aliases":{{JsonSerializer.Serialize(others)}}}""");
}
