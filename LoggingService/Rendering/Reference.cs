using System.Buffers;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>How a line refers to an earlier event: by sender, time and excerpt if it is in the room's record, else by its id.</summary>
internal static class Reference
{
    /// <summary>
    /// <c>@alice:example.org 19:20:11 "hello"</c>, <c>@alice:example.org 19:20:11 image "cat.png"</c>; without text
    /// <c>the encrypted message of @alice:example.org 19:20:11</c>; or <c>$id</c>. The start decides where it ends, so the
    /// sender's text can't extend it.
    /// </summary>
    public static Phrase To(RenderContext context, Utf8Text id) => context.FindEvent(id) switch
    {
        null => SafeText.EventId(id),
        var target when Excerpt(context, target) is { } excerpt =>
            $"{SafeText.UserId(target.SenderText)} {context.FormatTime(target)} {excerpt}",
        var target => WithoutExcerpt(context, target),
    };

    /// <summary><c>the message of @alice:example.org 19:20:11</c>.</summary>
    public static Phrase WithoutExcerpt(RenderContext context, RoomEvent target) =>
        $"the {EventKind.DescribeOrType(target)} of {SafeText.UserId(target.SenderText)} {context.FormatTime(target)}";

    /// <summary>The start of the event's text, after its kind unless it is a message; <c>null</c> if it has no text.</summary>
    public static Phrase? Excerpt(RenderContext context, RoomEvent target)
    {
        if (Text(context, target) is not { } text || IsBlank(text))
        {
            return null;
        }

        var kind = EventKind.DescribeOrType(target);
        return kind.Span.SequenceEqual("message"u8) || kind.Span.SequenceEqual("edit"u8)
            ? SafeText.Excerpt(text)
            : $"{kind} {SafeText.Excerpt(text)}";
    }

    private static bool IsBlank(Utf8Text text)
    {
        var rest = text.Span;
        while (Rune.DecodeFromUtf8(rest, out var rune, out var length) == OperationStatus.Done && Rune.IsWhiteSpace(rune))
        {
            rest = rest[length..];
        }

        return rest.IsEmpty;
    }

    private static Utf8Text? Text(RenderContext context, RoomEvent target)
    {
        if (target.StateKey is not null || target.CanonicalType is not { } type)
        {
            return null;
        }

        var types = new TypeCheck();
        var content = Relation.OwnContent(target, context.History, types);
        var text = type switch
        {
            "m.room.message" or "m.sticker" => Body(target, content, types),
            "m.reaction" => ReactionLine.Key(target.Content, types),
            "m.poll.start" => PollLine.Question(content, types),
            "m.poll.end" => TextBlock.Plain(content, types),
            not "m.encrypted" when !ExtensibleLine.Kind(type).IsEmpty => TextBlock.Plain(content, types),
            _ => null,
        };
        return types.Failed ? null : text;
    }

    private static Utf8Text? Body(RoomEvent target, RawJson content, TypeCheck types)
    {
        if (types.String(content["body"u8]) is not { } body)
        {
            return null;
        }

        var isReply = !Relation.IsEdit(target) && !target.Content["m.relates_to"u8]["m.in_reply_to"u8].Bytes.IsEmpty;
        return PerMessageProfile.Read(content, types).RemoveFallback(isReply ? Relation.RemoveFallback(body) : body);
    }
}
