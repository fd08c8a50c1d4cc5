namespace LoggingService.Rendering;

/// <summary>The line of <c>m.reaction</c>. (Client-Server API, "Event annotations and reactions"; MSC4027 for custom images.)</summary>
internal static class ReactionLine
{
    /// <summary><c>*** @bob:example.org reacted "👍" to @alice:example.org 19:20:11 "hello"</c></summary>
    public static string? Render(RenderContext context) => context.Sentence((content, types) =>
    {
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var relType = types.String(relatesTo["rel_type"u8]);
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        var key = Key(content, types);
        if (types.Failed || relType != "m.annotation" || id is null || key is null)
        {
            return null;
        }

        // The key of an image is its address, shown after its shortcode if it has one.
        var address = types.NonEmpty(relatesTo["key"u8]);
        var image = address == key ? "" : $" ({SafeText.ContentAddress(address!)})";
        return $"reacted {SafeText.Excerpt(key)}{image} to {Reference.To(context, id)}";
    });

    /// <summary>The emoji or text of the reaction, or the shortcode of an image.</summary>
    public static string? Key(RawJson content, TypeCheck types)
    {
        var key = types.NonEmpty(types.Object(content["m.relates_to"u8])["key"u8]);
        var shortcode = types.NonEmpty(content["shortcode"u8]) ?? types.NonEmpty(content["com.beeper.reaction.shortcode"u8]);
        return key?.StartsWith("mxc://", StringComparison.Ordinal) == true ? shortcode ?? key : key;
    }
}
