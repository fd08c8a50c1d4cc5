namespace LoggingService.Events;

/// <summary>The event that an <c>m.room.redaction</c> removes. (Client-Server API, "Redactions".)</summary>
internal static class RedactionTarget
{
    /// <summary>
    /// The key <c>redacts</c> of the event; of its content only where the event has none: that is where room version 11 moved it, and
    /// before that version any sender can put an id there, while the homeserver follows the one outside. Homeservers send both.
    /// </summary>
    public static Utf8Text? Read(RawJson redaction) =>
        NonEmpty(redaction["redacts"u8]) ?? NonEmpty(redaction["content"u8]["redacts"u8]);

    private static Utf8Text? NonEmpty(RawJson value) => value.AsText() is { Length: > 0 } id ? id : null;
}
