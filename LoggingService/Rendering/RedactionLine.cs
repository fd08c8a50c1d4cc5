namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.redaction</c>. (Client-Server API, "Redactions".)</summary>
internal static class RedactionLine
{
    public static bool Render(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);

        // Room version 11 moved the key into content; homeservers write both.
        var id = types.NonEmpty(content["redacts"u8]) ?? types.NonEmpty(context.Event.Json["redacts"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        if (types.Failed)
        {
            return false;
        }

        if (id is not { } targetId)
        {
            return context.ArrivedRedacted && RemovedLine.Render(context);
        }

        var removed = context.FindEvent(targetId) is { } target
            ? Reference.WithoutExcerpt(context, target)
            : $"the event {SafeText.EventId(targetId)}";
        return context.Write($"*** {context.Sender} removed {removed}{SafeText.QuotedSuffix(reason)}");
    }
}
