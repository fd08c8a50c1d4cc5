using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The line of <c>m.reaction</c>. (Client-Server API, "Event annotations and reactions"; MSC4027 for pictures of one's own.)</summary>
internal static class ReactionLine
{
    /// <summary><c>*** @bob:example.org reacted "👍" to @alice:example.org 19:20:11 "hello"</c>; <c>null</c> where content has a wrong type or the relation is no annotation.</summary>
    public static string? Render(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var isAnnotation = types.String(relatesTo["rel_type"u8]) == "m.annotation";
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        var key = Key(content, types);
        if (types.Failed || !isAnnotation || id is null || key is null)
        {
            return null;
        }

        // A picture's key is its address: its short name, where it has one, is what people know it by.
        var address = types.NonEmpty(relatesTo["key"u8]);
        var picture = address == key ? "" : $" ({SafeText.ContentAddress(address!)})";
        return $"*** {context.Sender} reacted {SafeText.Excerpt(key)}{picture} to {Reference.To(context, id)}";
    }

    /// <summary>What was reacted with: an emoji, any other words, or a picture's short name; <c>null</c> where it is missing or wrong.</summary>
    public static string? Key(RawJson content, TypeCheck types)
    {
        var key = types.NonEmpty(types.Object(content["m.relates_to"u8])["key"u8]);
        var shortcode = types.NonEmpty(content["shortcode"u8]) ?? types.NonEmpty(content["com.beeper.reaction.shortcode"u8]);
        return key?.StartsWith("mxc://", StringComparison.Ordinal) == true ? shortcode ?? key : key;
    }
}
