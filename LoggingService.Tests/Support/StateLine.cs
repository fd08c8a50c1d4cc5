using System.Text;
using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Tests.Support;

/// <summary>Renders state events sent by <c>@bob:x</c>.</summary>
internal static class StateLine
{
    /// <summary>The line without its prefix <c>*** @bob:x </c>. The previous content is empty if unknown.</summary>
    public static string Of(string type, string content, string previous = "", string stateKey = "") =>
        Sentence(type, content, stateKey, previous.Length == 0 ? "{}" : $$"""{"prev_content":{{previous}}}""");

    /// <summary>The same for an event that was redacted before the service received it.</summary>
    public static string Redacted(string type, string content = "{}", string stateKey = "", string previous = "{}") =>
        Sentence(type, content, stateKey, $$"""{"redacted_because":{},"prev_content":{{previous}}}""");

    /// <summary>The fallback form.</summary>
    public static string General(string type, string content, string stateKey = "") => $"{type} [\"{stateKey}\"] {content}";

    private static string Sentence(string type, string content, string stateKey, string unsigned)
    {
        var json = $$"""
            {
                "event_id":"$now","room_id":"!r:x","type":"{{type}}","sender":"@bob:x","state_key":{{JsonSerializer.Serialize(stateKey)}},
                "origin_server_ts":1,"content":{{content}},"unsigned":{{unsigned}}
            }
            """;
        var e = RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!;
        var line = LineOf.Render(e, LineOf.HistoryOf(), TimeZoneInfo.Utc, null);
        const string Head = "*** @bob:x ";
        Assert.StartsWith(Head, line, StringComparison.Ordinal);
        return line[Head.Length..];
    }
}
