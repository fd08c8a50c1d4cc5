namespace LoggingService.Rendering;

/// <summary>How a line refers to an earlier event: by sender, time and excerpt if it is in the room's record, else by its id.</summary>
internal static class Reference
{
    /// <summary>
    /// <c>@alice:example.org 19:20:11 "hello"</c>, <c>@alice:example.org 19:20:11 image "cat.png"</c>; without text
    /// <c>the encrypted message of @alice:example.org 19:20:11</c>; once it was removed
    /// <c>the removed message of @alice:example.org 19:20:11</c>; or <c>$id</c>. The start decides where it ends, so the
    /// sender's text can't extend it.
    /// </summary>
    public static Phrase To(RenderContext context, Utf8Text id)
    {
        if (context.FindEvent(id) is not { } target)
        {
            return SafeText.EventId(id);
        }

        return IsRemoved(context, target) ? Removed(context, target)
            : Excerpt(context, target) is { } excerpt ? $"{SafeText.UserId(target.SenderText)} {context.FormatTime(target)} {excerpt}"
            : WithoutExcerpt(context, target);
    }

    /// <summary>As <see cref="To"/>, as the object of a verb: <c>the message of @alice:example.org 19:20:11 "hello"</c>.</summary>
    public static Phrase ToEvent(RenderContext context, Utf8Text id)
    {
        if (context.FindEvent(id) is not { } target)
        {
            return $"the event {SafeText.EventId(id)}";
        }

        return IsRemoved(context, target) ? Removed(context, target)
            : Quote(context, target) is { } quote
                ? $"the {EventKind.DescribeOrType(target)} of {SafeText.UserId(target.SenderText)} {context.FormatTime(target)} {quote}"
            : WithoutExcerpt(context, target);
    }

    /// <summary><c>the message of @alice:example.org 19:20:11</c>; with its id where that could be another one.</summary>
    public static Phrase WithoutExcerpt(RenderContext context, RoomEvent target) =>
        $"the {EventKind.DescribeOrType(target)} of {SafeText.UserId(target.SenderText)} {Time(context, target)}";

    /// <summary><c>the removed message of @alice:example.org 19:20:11</c>.</summary>
    public static Phrase Removed(RenderContext context, RoomEvent target) =>
        $"the removed {EventKind.DescribeOrType(target)} of {SafeText.UserId(target.SenderText)} {Time(context, target)}";

    /// <summary>The time of an earlier event, with its id where another of the same kind and sender was in the same second.</summary>
    public static Phrase Time(RenderContext context, RoomEvent target)
    {
        var time = context.FormatTime(target);
        var kind = EventKind.DescribeOrType(target);
        return context.History.SameSecond(target).Any(other => EventKind.DescribeOrType(other).Equals(kind))
            ? $"{time} {SafeText.EventId(Utf8Text.From(target.EventId))}"
            : time;
    }

    /// <summary>The event was redacted; or what it edits or ends was, whose text it repeats.</summary>
    public static bool IsRemoved(RenderContext context, RoomEvent target)
    {
        if (IsRedacted(context, target))
        {
            return true;
        }

        return (Relation.IsEdit(target) || target.CanonicalType == "m.poll.end")
            && target.Content["m.relates_to"u8]["event_id"u8].AsText() is { } id
            && context.FindEvent(id) is { } original
            && original.SenderText == target.SenderText
            && IsRedacted(context, original);
    }

    /// <summary>The start of the event's text, after its kind unless it is a message; <c>null</c> if it has no text.</summary>
    public static Phrase? Excerpt(RenderContext context, RoomEvent target)
    {
        if (Quote(context, target) is not { } quote)
        {
            return null;
        }

        var kind = EventKind.DescribeOrType(target);
        return kind.Span.SequenceEqual("message"u8) || kind.Span.SequenceEqual("edit"u8) ? quote : $"{kind} {quote}";
    }

    /// <summary>The start of the text of an event that was not removed; <c>null</c> if it has none.</summary>
    public static Phrase? Quote(RenderContext context, RoomEvent target) =>
        Text(context, target) is { } text ? SafeText.Excerpt(text) : Phrase.None;

    private static bool IsRedacted(RenderContext context, RoomEvent target) =>
        RemovedLine.ArrivedRedacted(target) || context.History.IsRemoved(target);

    private static Utf8Text? Text(RenderContext context, RoomEvent target)
    {
        if (target.StateKey is not null || target.CanonicalType is not { } type)
        {
            return null;
        }

        var types = new TypeCheck();
        if (Relation.CurrentContent(target, context, types) is not { } content)
        {
            return null;
        }

        var text = type switch
        {
            "m.room.message" or "m.sticker" => MessageLine.Text(
                content, Relation.IsReply(target.Content), PerMessageProfile.Read(content, types), types),
            "m.reaction" => ReactionLine.Key(target.Content, types),
            "m.poll.start" => PollLine.Question(content, types),
            "m.poll.end" => TextBlock.Plain(content, types),
            not "m.encrypted" when !ExtensibleLine.Kind(type).IsEmpty => TextBlock.Plain(content, types),
            _ => null,
        };
        return types.Failed || text is null || Blank.IsBlank(text.Value.Span, alsoLineBreaks: true) ? null : text;
    }
}
