namespace LoggingService.Rendering;

/// <summary>The lines of <c>m.key.verification.*</c>, without keys and codes. (Client-Server API, "Key verification framework".)</summary>
internal static class VerificationLine
{
    private const string Prefix = "m.key.verification.";

    public static bool Handles(string type) => type.StartsWith(Prefix, StringComparison.Ordinal);

    public static string? Render(RenderContext context) => context.Sentence((content, types) =>
    {
        _ = types.Object(content["m.relates_to"u8]);
        var code = types.NonEmpty(content["code"u8]);
        var reason = SafeText.QuotedSuffix(types.NonEmpty(content["reason"u8]));
        return context.Event.Type![Prefix.Length..] switch
        {
            "ready" => "is ready for the verification",
            "start" => "started the verification",
            "accept" => "accepted the verification",
            "key" => "sent their key for the verification",
            "mac" => "confirmed the verification",
            "done" => "finished the verification",
            "cancel" => $"cancelled the verification{(code is null ? "" : $" ({SafeText.EventType(code)})")}{reason}",
            _ => null,
        };
    });
}
