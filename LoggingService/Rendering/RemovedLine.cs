using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The line of a message event that was redacted before it reached the service. (Client-Server API, "Redactions".)</summary>
internal static class RemovedLine
{
    // Only if the homeserver reports the redaction: anyone can send empty content.
    // Redactions are excluded, since their targets are often still known.
    public static bool Handles(RenderContext context) =>
        context.Event is { StateKey: null, CanonicalType: not "m.room.redaction" } && context.ArrivedRedacted;

    /// <summary>The homeserver reports the redaction, and sent what it left of the content.</summary>
    public static bool ArrivedRedacted(RoomEvent e)
    {
        var unsigned = e.Unsigned;
        return ErasedEvent.IsStub(e)
            || unsigned["redacted_because"u8].Kind == JsonValueKind.Object
            || unsigned["redacted_by"u8].Kind == JsonValueKind.String;
    }

    /// <summary>
    /// <c>&lt;@bob:example.org, reaction, removed before it was logged&gt;</c>, or <c>erased</c>; a message has no kind.
    /// </summary>
    public static bool Render(RenderContext context)
    {
        // A redacted edit can't be distinguished from a message.
        var e = context.Event;
        var kind = EventKind.Describe(e);
        Phrase description = kind.IsEmpty ? LogLine.DescribeType(e) : kind;
        var how = ErasedEvent.IsStub(e) ? "erased"u8 : "removed before it was logged"u8;
        return e.CanonicalType == "m.room.message"
            ? context.Write($"<{context.Sender}{context.NoticePart}, {how}>")
            : context.Write($"<{context.Sender}{context.NoticePart}, {description}, {how}>");
    }
}
