using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>Values of which a test needs any.</summary>
internal static class Some
{
    private static int count;

    /// <summary>A room id that no other test has.</summary>
    public static string RoomId() => $"!room{Interlocked.Increment(ref count)}:localhost";

    /// <summary>An event id that no other event has.</summary>
    public static string EventId() => $"$event{Interlocked.Increment(ref count)}";

    /// <summary>A message as a homeserver pushes it.</summary>
    public static string Message(string roomId, string body = "hello", string? eventId = null, long? at = null, string sender = "@alice:localhost") =>
        $$"""{"content":{"body":{{JsonSerializer.Serialize(body)}},"msgtype":"m.text"},"event_id":{{JsonSerializer.Serialize(eventId ?? EventId())}},"origin_server_ts":{{at ?? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}},"room_id":{{JsonSerializer.Serialize(roomId)}},"sender":"{{sender}}","type":"m.room.message","unsigned":{"age":37},"user_id":"{{sender}}"}""";
}
