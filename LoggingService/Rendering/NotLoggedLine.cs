namespace LoggingService.Rendering;

/// <summary>The line of an event whose content was not logged at the sender's wish.</summary>
internal static class NotLoggedLine
{
    /// <summary>The head says it, too: anyone can send the text behind it.</summary>
    public static bool Render(RenderContext context)
    {
        var e = context.Event;
        var kind = EventKind.Describe(e);
        Phrase description = kind.IsEmpty ? LogLine.DescribeType(e) : kind;
        Phrase part = e.CanonicalType == "m.room.message" ? ""u8 : $", {description}";
        return context.Write($"<{context.Sender}{context.NoticePart}{part}, not logged> [not logged at the sender's wish]");
    }
}
