using System.Text.RegularExpressions;

namespace LoggingService.Events;

/// <summary>
/// The stub that an erasure leaves of an event: ids, type, sender, times, and of the content what a redaction keeps. It has a key
/// <c>erased</c> with the id of the redaction that caused it, otherwise <c>true</c>.
/// </summary>
internal static partial class ErasedEvent
{
    private const int MaxEnd = 128;

    // In this order. (Room versions, "Redactions".)
    private static readonly string[] Kept =
        ["event_id", "not_logged", "origin_server_ts", "redacts", "room_id", "sender", "state_key", "type"];

    /// <summary>Whether an event is a stub. A sender who adds the key hides nothing but content that is not there.</summary>
    public static bool IsStub(RoomEvent e) =>
        e.Json.Bytes.Span.IndexOf("\"erased\":"u8) >= 0
        && e.Json["erased"u8].Kind is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.String
        && (e.StateKey is not null || e.Type == "m.room.redaction" || e.Content.IsEmptyObject);

    /// <summary>The stub of an event, as JSON.</summary>
    /// <param name="redaction">The id of the redaction; <c>null</c> if there is none.</param>
    /// <param name="end">What the JSON ends with: the end of the record's line, or a brace.</param>
    public static byte[] Create(RoomEvent e, string? redaction, ReadOnlySpan<byte> end)
    {
        using var json = new MemoryStream();
        json.Write("{\"content\":"u8);
        WriteContent(json, e);
        foreach (var key in Kept)
        {
            var name = System.Text.Encoding.ASCII.GetBytes(key);
            var value = e.Json[name];
            if (value.Bytes.Length > 0 && (key != "redacts" || e.Type == "m.room.redaction"))
            {
                json.Write(",\""u8);
                json.Write(name);
                json.Write("\":"u8);
                value.WriteSingleLine(json);
            }
        }

        json.Write(",\"erased\":"u8);
        json.Write(redaction is null ? "true"u8 : System.Text.Encoding.ASCII.GetBytes($"\"{JsonString.Encode(redaction)}\""));
        json.Write(end);
        return json.ToArray();
    }

    /// <summary>What the service appended to an event in its line of a record: the end, from the comma on.</summary>
    public static ReadOnlySpan<byte> EndOfRecord(ReadOnlySpan<byte> line)
    {
        var start = Math.Max(0, line.Length - MaxEnd);
        var match = End().Match(System.Text.Encoding.Latin1.GetString(line[start..]));
        return match.Success ? line[(start + match.Index)..] : "}"u8;
    }

    /// <summary>A part of the content that tells who may do what, not what anyone said.</summary>
    private static void WriteContent(Stream output, RoomEvent e)
    {
        if (e.Type == "m.room.create" && e.StateKey is not null && e.Content.Kind == System.Text.Json.JsonValueKind.Object)
        {
            e.Content.WriteSingleLine(output);
            return;
        }

        output.WriteByte((byte)'{');
        var separator = ReadOnlySpan<byte>.Empty;
        foreach (var key in KeptOfContent(e))
        {
            var name = System.Text.Encoding.ASCII.GetBytes(key);
            var value = e.Content[name];
            if (value.Bytes.Length > 0)
            {
                output.Write(separator);
                output.Write("\""u8);
                output.Write(name);
                output.Write("\":"u8);
                value.WriteSingleLine(output);
                separator = ","u8;
            }
        }

        output.WriteByte((byte)'}');
    }

    // Also what removes other events: they must stay removed.
    private static string[] KeptOfContent(RoomEvent e) => (e.Type, e.StateKey) switch
    {
        ("m.room.redaction", null) => ["redacts"],
        ("m.room.member", not null) =>
            ["membership", "join_authorised_via_users_server", "redact_events", "org.matrix.msc4293.redact_events"],
        ("m.room.join_rules", not null) => ["join_rule", "allow"],
        ("m.room.power_levels", not null) =>
            ["ban", "events", "events_default", "invite", "kick", "redact", "state_default", "users", "users_default"],
        ("m.room.history_visibility", not null) => ["history_visibility"],
        ("m.room.encryption", not null) => ["algorithm"],
        _ => [],
    };

    [GeneratedRegex("""(,"fetched_ts":[0-9]+)?,"received_ts":[0-9]+(,"note":true)?\}$""")]
    private static partial Regex End();
}
