using System.Globalization;
using System.Text;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Tests.Support;

/// <summary>Renders events of one room: those of @bob:x, at 19:20:11 UTC on 23 November 2026, after earlier events of the record.</summary>
internal static class LineOf
{
    private const long Now = 1795461611000;

    /// <summary>Throws for bytes that are not UTF-8.</summary>
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The line of an event of @bob:x.</summary>
    public static string Bobs(string type, string content, params RoomEvent[] before) => After(Event("@bob:x", type, content), before);

    /// <summary>The line of a state event of @bob:x whose state key is that user id.</summary>
    public static string BobsState(string type, string content, string? previous = null) =>
        After(Event("@bob:x", type, content, StateKeyAndPrevious(previous)));

    /// <summary>The line of an event after earlier events of the record.</summary>
    public static string After(RoomEvent e, params RoomEvent[] before) =>
        Render(e, HistoryOf(before), TimeZoneInfo.Utc, DateTimeOffset.FromUnixTimeMilliseconds(Now));

    /// <summary>The history that the command <c>render</c> has after some events.</summary>
    public static RoomHistory HistoryOf(params IEnumerable<RoomEvent> before)
    {
        var history = new EventsInMemory();
        foreach (var e in before)
        {
            history.Add(e);
        }

        return history;
    }

    /// <summary>The line without its timestamp and its line break.</summary>
    public static string Render(RoomEvent e, RoomHistory history, TimeZoneInfo zone, DateTimeOffset? receivedAt = null)
    {
        const string Before = "earlier line\n";
        var output = new LineBuffer(capacity: 1);
        output.Append(Encoding.UTF8.GetBytes(Before));
        if (receivedAt is { } time)
        {
            e.ReceivedTs = time.ToUnixTimeMilliseconds();
        }

        LogLine.Write(output, e, history, zone);
        var text = Strict.GetString(output.Written);
        var timestamp = LogLine.Time(e, zone).ToString("yyyy-MM-dd HH:mm:ss zzz ", CultureInfo.InvariantCulture);
        Assert.StartsWith(Before + timestamp, text, StringComparison.Ordinal);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return text[(Before.Length + timestamp.Length)..^1];
    }

    /// <summary>An event with the id <c>$bobs</c> for @bob:x, <c>$theirs</c> for others. Content and more keys are JSON.</summary>
    public static RoomEvent Event(string sender, string type, string content, string more = "\"age\":1")
    {
        var id = sender == "@bob:x" ? "$bobs" : "$theirs";
        return Event($$"""
            {
                "event_id":"{{id}}","room_id":"!r:x","type":"{{type}}","sender":"{{sender}}","origin_server_ts":{{Now}},
                "content":{{content}},{{more}}
            }
            """);
    }

    public static RoomEvent Event(string json) => RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!;

    private static string StateKeyAndPrevious(string? previous) =>
        "\"state_key\":\"@bob:x\"" + (previous is null ? "" : $",\"unsigned\":{{\"prev_content\":{previous}}}");
}
