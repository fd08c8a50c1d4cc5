using LoggingService.Transactions;

namespace LoggingService.Lines;

/// <summary>The line of <c>m.room.redaction</c>: who removed what of whom. (Client-Server API, "Redactions".)</summary>
internal static class RedactionLine
{
    /// <summary>The line; <c>null</c> where content has a wrong type or nothing says what was removed.</summary>
    public static string? Render(LineSource line)
    {
        var types = new TypeCheck();
        var content = line.Event.Content;

        // Room version 11 moved the key into content; homeservers write both.
        var id = types.NonEmpty(content["redacts"u8]) ?? types.NonEmpty(line.Event.Json["redacts"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        if (id is null || types.Failed)
        {
            return null;
        }

        var removed = line.Before.ById(id) is { } target
            ? $"the {Word(target)} of {SafeText.UserId(target.Sender)} {line.TimeOf(target)}"
            : $"the event {SafeText.EventId(id)}";
        return $"*** {line.Sender} removed {removed}{(reason is null ? "" : $": {SafeText.Quoted(reason)}")}";
    }

    private static string Word(RoomEvent target) => (target.Type, target.StateKey) switch
    {
        ("m.room.message" or "m.room.encrypted", null) when Relation.IsEdit(target) => "edit",
        ("m.room.message", null) => "message",
        ("m.room.encrypted", null) => "encrypted message",
        ("m.sticker", null) => "sticker",
        ("m.reaction", null) => "reaction",
        ("m.poll.start" or "org.matrix.msc3381.poll.start", null) => "poll",
        ("m.poll.response" or "org.matrix.msc3381.poll.response", null) => "vote",
        ("m.room.redaction", null) => "redaction",
        (_, null) => $"event {LogLine.KindOf(target)}",
        _ => $"state {LogLine.KindOf(target)}",
    };
}
