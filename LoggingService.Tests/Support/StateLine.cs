using System.Text;
using System.Text.Json;
using LoggingService.Events;
using LoggingService.Rendering;

namespace LoggingService.Tests.Support;

/// <summary>Lines of state events in the room of a test, all sent by <c>@bob:x</c>.</summary>
internal static class StateLine
{
    /// <summary>The line without <c>*** @bob:x </c>, with which it must begin.</summary>
    /// <param name="type">The event's type.</param>
    /// <param name="content">Its content.</param>
    /// <param name="previous">The content that it replaced; empty where none is known.</param>
    /// <param name="stateKey">Its state key.</param>
    public static string Of(string type, string content, string previous = "", string stateKey = "") =>
        Sentence(type, content, stateKey, previous.Length == 0 ? "{}" : $$"""{"prev_content":{{previous}}}""");

    /// <summary>The same, of an event whose content had been taken out before it came.</summary>
    public static string Redacted(string type, string content = "{}", string stateKey = "", string previous = "{}") =>
        Sentence(type, content, stateKey, $$"""{"redacted_because":{},"prev_content":{{previous}}}""");

    /// <summary>What the general form shows.</summary>
    public static string General(string type, string content, string stateKey = "") => $"{type} [\"{stateKey}\"] {content}";

    private static string Sentence(string type, string content, string stateKey, string unsigned)
    {
        var json = $$"""{"event_id":"$now","room_id":"!r:x","type":"{{type}}","sender":"@bob:x","state_key":{{JsonSerializer.Serialize(stateKey)}},"origin_server_ts":1,"content":{{content}},"unsigned":{{unsigned}}}""";
        var line = LogLine.Render(RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!, new(_ => null, (_, _) => null), TimeZoneInfo.Utc, null);
        const string Head = "*** @bob:x ";
        Assert.StartsWith(Head, line, StringComparison.Ordinal);
        return line[Head.Length..];
    }
}
