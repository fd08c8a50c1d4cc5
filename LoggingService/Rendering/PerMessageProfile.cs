namespace LoggingService.Rendering;

/// <summary>The name that a sender, such as a bridge, claims for one message. Anyone may claim any name. (MSC4144.)</summary>
/// <param name="HasFallback">The body starts with the name, for clients that don't support profiles.</param>
internal readonly record struct PerMessageProfile(string? Name, bool HasFallback)
{
    public static PerMessageProfile Read(RawJson content, TypeCheck types)
    {
        var profile = types.Object(
            TypeCheck.StableOrUnstable(content["m.per_message_profile"u8], content["com.beeper.per_message_profile"u8]));
        return new(types.NonEmpty(profile["displayname"u8]), types.Boolean(profile["has_fallback"u8]) == true);
    }

    public string RemoveFallback(string body) =>
        HasFallback && Name is not null && body.StartsWith($"{Name}: ", StringComparison.Ordinal) ? body[(Name.Length + 2)..] : body;
}
