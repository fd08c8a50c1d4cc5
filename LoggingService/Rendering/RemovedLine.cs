namespace LoggingService.Rendering;

/// <summary>The line of an event that is no state event and whose content had been taken out before it reached us. (Client-Server API, "Redactions".)</summary>
internal static class RemovedLine
{
    /// <summary>
    /// Its content is gone: the homeserver says so, for anybody can send an empty one. Not a redaction's: what it
    /// removed is often still known.
    /// </summary>
    public static bool Handles(RenderContext context) => context.Event is { StateKey: null, Type: not "m.room.redaction" } && context.ArrivedRedacted;

    /// <summary><c>&lt;@bob:example.org, removed before it was logged&gt;</c>; what is no message is named: <c>&lt;@bob:example.org, reaction, removed …&gt;</c>.</summary>
    public static string Render(RenderContext context)
    {
        // Of an edit nothing says any more that it was one.
        var kind = context.Event.Type == "m.room.message" ? "" : $", {EventKind.Describe(context.Event) ?? LogLine.DescribeType(context.Event)}";
        return $"<{context.Sender}{kind}, removed before it was logged>";
    }
}
