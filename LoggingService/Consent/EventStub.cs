using System.Text;

namespace LoggingService.Consent;

/// <summary>What is logged of an event at its sender's wish: a copy whose JSON lacks a part, marked by <see cref="NotLogged"/>.</summary>
internal static class EventStub
{
    // Those that the redaction of a message event keeps. (Room versions, "Redactions".)
    private static readonly string[] Kept = ["event_id", "origin_server_ts", "room_id", "sender", "type"];

    /// <summary>The event as a redaction leaves it: of the content of a message event nothing is kept.</summary>
    public static RoomEvent Create(RoomEvent e)
    {
        var json = new StringBuilder("{\"content\":{}");
        foreach (var (name, value) in e.Json.Members())
        {
            var key = name.ToString();
            if (Kept.Contains(key))
            {
                Append(json, key, value);
            }
        }

        return Parse(json.Append($",\"{NotLogged.Key}\":true}}"));
    }

    /// <summary>The event with other content.</summary>
    public static RoomEvent WithContent(RoomEvent e, string content)
    {
        var json = new StringBuilder("{\"content\":").Append(content);
        foreach (var (name, value) in e.Json.Members())
        {
            var key = name.ToString();
            if (key is not ("content" or NotLogged.Key))
            {
                Append(json, key, value);
            }
        }

        return Parse(json.Append($",\"{NotLogged.Key}\":\"{NotLogged.Quote}\"}}"));
    }

    private static void Append(StringBuilder json, string name, RawJson value) =>
        json.Append($",\"{JsonString.Encode(name)}\":").Append(Encoding.UTF8.GetString(value.Bytes.Span));

    private static RoomEvent Parse(StringBuilder json) =>
        RoomEvent.FromJournal(Encoding.UTF8.GetBytes(json.ToString()), isNote: false)!;
}
