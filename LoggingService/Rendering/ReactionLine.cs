namespace LoggingService.Rendering;

/// <summary>The line of <c>m.reaction</c>. (Client-Server API, "Event annotations and reactions"; MSC4027 for custom images.)</summary>
internal static class ReactionLine
{
    /// <summary><c>*** @bob:example.org reacted "👍" to @alice:example.org 19:20:11 "hello"</c></summary>
    public static bool Render(RenderContext context) => context.Sentence((content, types) =>
    {
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var isAnnotation = types.IsString(relatesTo["rel_type"u8], "m.annotation"u8);
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        var key = Key(content, types);
        if (types.Failed || !isAnnotation || id is not { } target || key is not { } shown)
        {
            return Phrase.None;
        }

        if (context.FindEvent(target) is { } member && EventKind.IsCallMember(member))
        {
            return RoomCallLine.IsHand(shown) ? "raised their hand in the call"u8 : $"reacted {SafeText.Excerpt(shown)} in the call";
        }

        // The key of an image is its address, shown after its shortcode if it has one.
        var address = types.NonEmpty(relatesTo["key"u8]);
        var image = address == key ? Phrase.None : $" ({SafeText.ContentAddress(address!.Value)})";
        return $"reacted {SafeText.Excerpt(shown)}{image} to {Reference.To(context, target)}";
    });

    /// <summary>The emoji or text of the reaction, or the shortcode of an image.</summary>
    public static Utf8Text? Key(RawJson content, TypeCheck types)
    {
        var key = types.NonEmpty(types.Object(content["m.relates_to"u8])["key"u8]);
        var shortcode = types.NonEmpty(content["shortcode"u8]) ?? types.NonEmpty(content["com.beeper.reaction.shortcode"u8]);
        return key?.StartsWith("mxc://"u8) == true ? shortcode ?? key : key;
    }
}
