namespace LoggingService.Events;

/// <summary>
/// The stub that an erasure leaves of an event: ids, type, sender, times, and of the content what a redaction keeps. Its record line ends
/// with a key <c>erased</c> behind <c>received_ts</c> (<see cref="RecordLine"/>), which no sender can imitate: the id of the redaction that
/// caused it, otherwise <c>true</c>.
/// </summary>
internal static class ErasedEvent
{
    // In this order. (Room versions, "Redactions".)
    private static readonly string[] Kept =
        ["event_id", "not_logged", "origin_server_ts", "redacts", "room_id", "sender", "state_key", "type"];

    public static bool IsStub(RoomEvent e) => e.ErasedBy is not null;

    /// <summary>The stub of an event.</summary>
    /// <param name="redaction">The id of the redaction; <c>null</c> if there is none.</param>
    public static RoomEvent Create(RoomEvent e, string? redaction)
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

        json.Write("}"u8);
        var stub = RoomEvent.FromJournal(json.ToArray(), isNote: false)!;
        stub.ReceivedTs = e.ReceivedTs;
        stub.FetchedTs = e.FetchedTs;
        stub.ErasedBy = redaction ?? "";
        return stub;
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
}
