using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>How a line names an earlier event: by its sender, its time and its beginning where the room's record has it, else by its id.</summary>
internal static class Reference
{
    /// <summary>
    /// <c>@alice:example.org 19:20:11 "hello"</c>, <c>@alice:example.org 19:20:11 image "cat.png"</c>; where it says
    /// nothing <c>the encrypted message of @alice:example.org 19:20:11</c>; or <c>$id</c>. Where it ends is certain by how
    /// it begins: after an emote's head comes nothing but the sender's words.
    /// </summary>
    public static string To(RenderContext context, string id) => context.History.FindEvent(id) switch
    {
        null => SafeText.EventId(id),
        var target when Excerpt(context, target) is { } beginning => $"{SafeText.UserId(target.Sender)} {context.FormatTime(target)} {beginning}",
        var target => WithoutExcerpt(context, target),
    };

    /// <summary>An event without what it says: <c>the message of @alice:example.org 19:20:11</c>.</summary>
    public static string WithoutExcerpt(RenderContext context, RoomEvent target) =>
        $"the {EventKind.DescribeOrType(target)} of {SafeText.UserId(target.Sender)} {context.FormatTime(target)}";

    /// <summary>How an event begins: a message's first words, for other kinds after the kind; <c>null</c> where it says nothing.</summary>
    public static string? Excerpt(RenderContext context, RoomEvent target)
    {
        if (GetText(context, target) is not { } words || string.IsNullOrWhiteSpace(words))
        {
            return null;
        }

        var kind = EventKind.DescribeOrType(target);
        return kind is "message" or "edit" ? SafeText.Excerpt(words) : $"{kind} {SafeText.Excerpt(words)}";
    }

    /// <summary>What its sender says in it; <c>null</c> where that is nothing. What has a wrong type says nothing.</summary>
    private static string? GetText(RenderContext context, RoomEvent target)
    {
        if (target.StateKey is not null)
        {
            return null;
        }

        var types = new TypeCheck();
        var content = Relation.OwnContent(target, context.History, types);
        var words = target.Type switch
        {
            "m.room.message" or "m.sticker" => Body(target, content, types),
            "m.reaction" => ReactionLine.Key(target.Content, types),
            "m.poll.start" or "org.matrix.msc3381.poll.start" => PollLine.Question(content, types),
            "m.poll.end" or "org.matrix.msc3381.poll.end" => TextBlock.Plain(content, types),
            not null when ExtensibleLine.Kind(target.Type) is not (null or "encrypted") => TextBlock.Plain(content, types),
            _ => null,
        };
        return types.Failed ? null : words;
    }

    private static string? Body(RoomEvent target, RawJson content, TypeCheck types)
    {
        if (types.String(content["body"u8]) is not { } body)
        {
            return null;
        }

        var isReply = !Relation.IsEdit(target) && !target.Content["m.relates_to"u8]["m.in_reply_to"u8].Bytes.IsEmpty;
        return PerMessageProfile.Read(content, types).WithoutName(isReply ? Relation.WithoutFallback(body) : body);
    }
}
