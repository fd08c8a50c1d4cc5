namespace LoggingService.Rendering;

/// <summary>How a line refers to an earlier event: by sender, time and excerpt if it is in the room's record, else by its id.</summary>
internal static class Reference
{
    /// <summary>How far edits of edits are followed.</summary>
    private const int MaxDepth = 10;

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
        return context.History.HasInSameSecond(target, other => EventKind.DescribeOrType(other).Equals(kind))
            ? $"{time} {SafeText.EventId(Utf8Text.From(target.EventId))}"
            : time;
    }

    /// <summary>The event was redacted, before or after it was logged.</summary>
    public static bool IsRedacted(RenderContext context, RoomEvent target) =>
        RemovedLine.ArrivedRedacted(target) || context.History.IsRemoved(target);

    /// <summary>The event was redacted; or it repeats the text of one that was.</summary>
    public static bool IsRemoved(RenderContext context, RoomEvent target) =>
        IsRedacted(context, target) || RepeatsRemoved(context, target);

    /// <summary>
    /// An event that is not in the record was redacted: by its id, or with all earlier events of its sender, because a later one would be
    /// in the record. (MSC4293.)
    /// </summary>
    public static bool IsMissingRemoved(RenderContext context, Utf8Text id, string? sender) =>
        context.History.IsRemoved(id.ToString()) || (sender is not null && context.History.IsRemoved(sender));

    /// <summary>The event is an edit of a redacted event by the same sender, or the end of a redacted poll.</summary>
    public static bool RepeatsRemoved(RenderContext context, RoomEvent e)
    {
        for (var depth = 0; depth < MaxDepth; depth++)
        {
            var isEdit = Relation.IsEdit(e);
            if (!(isEdit || e.CanonicalType == "m.poll.end") || e.Content["m.relates_to"u8]["event_id"u8].AsText() is not { } id)
            {
                return false;
            }

            if (context.FindEvent(id) is not { } original)
            {
                return IsMissingRemoved(context, id, e.Sender);
            }

            if (original.EventId == e.EventId)
            {
                return false;
            }

            if (isEdit && original.SenderText != e.SenderText)
            {
                return false;
            }

            if (IsRedacted(context, original))
            {
                return true;
            }

            // An edit of an edit is not valid, but may repeat the text.
            e = original;
        }

        // Too many edits of edits to tell.
        return true;
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
                content, Relation.MayHaveFallback(target, content, context), PerMessageProfile.Read(content, types), types),
            "m.reaction" => ReactionLine.Key(target.Content, types),
            "m.poll.start" => PollLine.Question(content, types),
            "m.poll.end" => TextBlock.Plain(content, types),
            not "m.encrypted" when !ExtensibleLine.Kind(type).IsEmpty => TextBlock.Plain(content, types),
            _ => null,
        };
        return types.Failed || text is null || Blank.IsBlank(text.Value.Span, alsoLineBreaks: true) ? null : text;
    }
}
