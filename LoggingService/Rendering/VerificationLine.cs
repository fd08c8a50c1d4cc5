namespace LoggingService.Rendering;

/// <summary>The lines of two people's clients that verify each other in a room: <c>m.key.verification.*</c>. Keys and codes are left to the record. (Client-Server API, "Key verification framework".)</summary>
internal static class VerificationLine
{
    /// <summary>The line; <c>null</c> where content has a wrong type, or for a step that nobody wrote a sentence for.</summary>
    public static string? Render(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);
        _ = types.Object(content["m.relates_to"u8]);
        var code = types.NonEmpty(content["code"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        var sentence = context.Event.Type switch
        {
            "m.key.verification.ready" => "is ready for the verification",
            "m.key.verification.start" => "started the verification",
            "m.key.verification.accept" => "accepted the verification",
            "m.key.verification.key" => "sent their key for the verification",
            "m.key.verification.mac" => "confirmed the verification",
            "m.key.verification.done" => "finished the verification",
            "m.key.verification.cancel" => $"cancelled the verification{(code is null ? "" : $" ({SafeText.EventType(code)})")}{(reason is null ? "" : $": {SafeText.Quoted(reason)}")}",
            _ => null,
        };
        return types.Failed || content.Bytes.IsEmpty || sentence is null ? null : $"*** {context.Sender} {sentence}";
    }
}
