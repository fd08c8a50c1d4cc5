using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// The name that a sender (a bridge, say) claims for one message. Anybody may claim any name, so it stands in quotes
/// after the full user id. (MSC4144.)
/// </summary>
/// <param name="Name">The name; <c>null</c> where none is claimed.</param>
/// <param name="HasFallback">The body begins with it, for clients that don't know such names.</param>
internal readonly record struct PerMessageProfile(string? Name, bool HasFallback)
{
    /// <summary>Reads it from a message's content, or for an edit from the new content.</summary>
    public static PerMessageProfile Read(RawJson content, TypeCheck types)
    {
        var profile = types.Object(TypeCheck.StableOrUnstable(content["m.per_message_profile"u8], content["com.beeper.per_message_profile"u8]));
        return new(types.NonEmpty(profile["displayname"u8]), types.Boolean(profile["has_fallback"u8]) == true);
    }

    /// <summary>The body without the name that it begins with.</summary>
    public string WithoutName(string body) =>
        HasFallback && Name is not null && body.StartsWith($"{Name}: ", StringComparison.Ordinal) ? body[(Name.Length + 2)..] : body;
}
