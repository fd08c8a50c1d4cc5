using System.Text;
using LoggingService.Events;
using LoggingService.Rendering;

namespace LoggingService.Tests.Support;

/// <summary>Events of one room, and their lines: bob's, at 19:20:11 UTC on 23 November 2026, after others that the record has.</summary>
internal static class LineOf
{
    private const long Now = 1795461611000;

    /// <summary>The line of an event of bob's.</summary>
    public static string Bobs(string type, string content, params RoomEvent[] before) => After(Event("@bob:x", type, content), before);

    /// <summary>The line of a state event of bob's, with his user id as its state key.</summary>
    public static string BobsState(string type, string content, string? previous = null) =>
        After(Event("@bob:x", type, content, "\"state_key\":\"@bob:x\"" + (previous is null ? "" : $",\"unsigned\":{{\"prev_content\":{previous}}}")));

    /// <summary>The line of an event, where the record has others before it.</summary>
    public static string After(RoomEvent e, params RoomEvent[] before) =>
        LogLine.Render(
            e,
            new RoomHistory(id => Array.Find(before, b => b.EventId == id), (type, key) => Array.FindLast(before, b => b.Type == type && b.StateKey == key)),
            TimeZoneInfo.Utc,
            DateTimeOffset.FromUnixTimeMilliseconds(Now));

    /// <summary>An event of somebody's, with the id <c>$theirs</c> for all but bob's.</summary>
    /// <param name="sender">Who sends it.</param>
    /// <param name="type">Its type.</param>
    /// <param name="content">Its content, in JSON.</param>
    /// <param name="more">More keys, in JSON.</param>
    public static RoomEvent Event(string sender, string type, string content, string more = "\"age\":1") =>
        Event($$"""{"event_id":"{{(sender == "@bob:x" ? "$bobs" : "$theirs")}}","room_id":"!r:x","type":"{{type}}","sender":"{{sender}}","origin_server_ts":{{Now}},"content":{{content}},{{more}}}""");

    /// <summary>A whole event.</summary>
    public static RoomEvent Event(string json) => RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!;
}
