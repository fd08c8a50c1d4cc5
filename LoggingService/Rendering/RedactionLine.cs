namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.redaction</c>. (Client-Server API, "Redactions".)</summary>
internal static class RedactionLine
{
    public static string? Render(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);

        // Room version 11 moved the key into content; homeservers write both.
        var id = types.NonEmpty(content["redacts"u8]) ?? types.NonEmpty(context.Event.Json["redacts"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        if (types.Failed)
        {
            return null;
        }

        if (id is null)
        {
            return context.ArrivedRedacted ? RemovedLine.Render(context) : null;
        }

        var removed = context.History.FindEvent(id) is { } target
            ? Reference.WithoutExcerpt(context, target)
            : $"the event {SafeText.EventId(id)}";
        return $"*** {context.Sender} removed {removed}{SafeText.QuotedSuffix(reason)}";
    }
}
