namespace LoggingService.Rendering;

/// <summary>The lines of <c>m.key.verification.*</c>, without keys and codes. (Client-Server API, "Key verification framework".)</summary>
internal static class VerificationLine
{
    private const string Prefix = "m.key.verification.";

    public static bool Handles(string type) => type.StartsWith(Prefix, StringComparison.Ordinal);

    public static bool Render(RenderContext context) => context.Sentence((content, types) =>
    {
        _ = types.Object(content["m.relates_to"u8]);
        var code = types.NonEmpty(content["code"u8]);
        var suffix = code is { } known ? $" ({SafeText.EventType(known)})" : Phrase.None;
        var reason = SafeText.QuotedSuffix(types.NonEmpty(content["reason"u8]));
        return context.Event.Type![Prefix.Length..] switch
        {
            "ready" => "is ready for the verification"u8,
            "start" => "started the verification"u8,
            "accept" => "accepted the verification"u8,
            "key" => "sent their key for the verification"u8,
            "mac" => "confirmed the verification"u8,
            "done" => "finished the verification"u8,
            "cancel" => $"cancelled the verification{suffix}{reason}",
            _ => Phrase.None,
        };
    });
}
