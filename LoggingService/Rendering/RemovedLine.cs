namespace LoggingService.Rendering;

/// <summary>The line of a message event that was redacted before it reached the service. (Client-Server API, "Redactions".)</summary>
internal static class RemovedLine
{
    // Only if the homeserver reports the redaction: anyone can send empty content.
    // Redactions are excluded, since their targets are often still known.
    public static bool Handles(RenderContext context) =>
        context.Event is { StateKey: null, CanonicalType: not "m.room.redaction" } && context.ArrivedRedacted;

    /// <summary><c>&lt;@bob:example.org, reaction, removed before it was logged&gt;</c>; a message has no kind.</summary>
    public static string Render(RenderContext context)
    {
        // A redacted edit can't be distinguished from a message.
        var e = context.Event;
        var kind = e.CanonicalType == "m.room.message" ? "" : $", {EventKind.Describe(e) ?? LogLine.DescribeType(e)}";
        return $"<{context.Sender}{kind}, removed before it was logged>";
    }
}
