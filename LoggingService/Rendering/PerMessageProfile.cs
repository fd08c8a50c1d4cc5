namespace LoggingService.Rendering;

/// <summary>The name that a sender, such as a bridge, claims for one message. Anyone may claim any name. (MSC4144.)</summary>
/// <param name="HasFallback">The body starts with the name, for clients that don't support profiles.</param>
internal readonly record struct PerMessageProfile(Utf8Text? Name, bool HasFallback)
{
    public static PerMessageProfile Read(RawJson content, TypeCheck types)
    {
        var profile = types.Object(
            TypeCheck.StableOrUnstable(content["m.per_message_profile"u8], content["com.beeper.per_message_profile"u8]));
        return new(types.NonEmpty(profile["displayname"u8]), types.Boolean(profile["has_fallback"u8]) == true);
    }

    public Utf8Text RemoveFallback(Utf8Text body)
    {
        var separator = ": "u8;
        return HasFallback && Name is { } name && body.StartsWith(name.Span) && body.Span[name.Length..].StartsWith(separator)
            ? body[(name.Length + separator.Length)..]
            : body;
    }
}
