namespace LoggingService.Rendering;

/// <summary>How a message relates to an earlier one: a reply, part of a thread, an edit.</summary>
/// <param name="Head">The part of the head that describes the relation; <c>null</c> if there is none.</param>
/// <param name="Content">The message's own content; the new content of an edit.</param>
/// <param name="HasFallback">The body may start with a quotation of the earlier message.</param>
/// <param name="IsOfRemoved">The message repeats the text of a removed one: neither text nor details are shown.</param>
internal readonly record struct Relation(Phrase? Head, RawJson Content, bool HasFallback, bool IsOfRemoved = false)
{
    /// <summary>How many edits of an event are tried: of one that has so many removed or invalid ones, no text is quoted.</summary>
    private const int MaxEdits = 20;

    /// <remarks>Client-Server API, "Forming relationships between events", "Rich replies", "Threading", "Event replacements".</remarks>
    public static Relation Read(RenderContext context, TypeCheck types)
    {
        var content = context.Event.Content;
        var relatesTo = types.Object(content["m.relates_to"u8]);
        if (relatesTo.Bytes.IsEmpty)
        {
            return new(null, content, HasFallback: false);
        }

        var relType = types.String(relatesTo["rel_type"u8])?.ToString();
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        var isFallingBack = types.Boolean(relatesTo["is_falling_back"u8]) == true;
        if (relType == "m.replace")
        {
            return Edit(context, types, id);
        }

        var repliedTo = types.NonEmpty(types.Object(relatesTo["m.in_reply_to"u8])["event_id"u8]);
        var threadRoot = relType == "m.thread" ? id : null;

        // A reply within a thread may exist only for clients that don't support threads.
        var isReply = repliedTo is not null && !(threadRoot is not null && isFallingBack);
        var thread = threadRoot is { } root ? Thread(context, root) : null;
        var reply = isReply ? $"to {Reference.To(context, repliedTo!.Value)}" : Phrase.None;
        Phrase? head = thread is not null && reply is not null ? $"{thread}, {reply}" : thread ?? reply;
        return new(head, content, HasFallback: repliedTo is not null);
    }

    /// <summary>
    /// Removes the quotation at the start of a reply's body, but only in the form that clients generate
    /// (<c>> &lt;@alice:example.org> …</c>, bridges with a name): any other quotation is the sender's own. It ends with the first line that
    /// doesn't begin with <c>></c>.
    /// (Client-Server API, "Fallbacks for rich replies", up to v1.12.)
    /// </summary>
    public static Utf8Text RemoveFallback(Utf8Text body)
    {
        var quoted = body.Span;
        var mark = quoted.StartsWith("> <"u8) ? "> <"u8.Length : quoted.StartsWith("> * <"u8) ? "> * <"u8.Length : 0;
        var name = quoted[mark..].IndexOfAny("<>\r\n"u8);
        if (mark == 0 || name <= 0 || quoted[mark + name] != '>')
        {
            return body;
        }

        var rest = body;
        while (rest.StartsWith("> "u8) || rest.StartsWith(">\n"u8) || rest.StartsWith(">\r\n"u8) || rest.Span.SequenceEqual(">"u8))
        {
            var end = rest.Span.IndexOf((byte)'\n');
            rest = end < 0 ? default : rest[(end + 1)..];
        }

        var separator = rest.StartsWith("\r\n"u8) ? 2 : rest.StartsWith("\n"u8) ? 1 : 0;
        return rest[separator..];
    }

    public static bool IsEdit(RoomEvent e) => e.Content["m.relates_to"u8]["rel_type"u8].IsString("m.replace"u8);

    public static bool IsReply(RawJson content) => !content["m.relates_to"u8]["m.in_reply_to"u8].Bytes.IsEmpty;

    /// <summary>The text of the content that an event has now may start with a quotation: of a reply, or of an edit of one.</summary>
    public static bool MayHaveFallback(RoomEvent e, RawJson currentContent, RenderContext context) =>
        IsReply(e.Content)
        || IsReply(currentContent)
        || (IsEdit(e)
            && e.Content["m.relates_to"u8]["event_id"u8].AsText() is { } id
            && context.FindEvent(id) is { } original
            && IsReply(original.Content));

    /// <summary>
    /// The content that an event has now: that of its newest edit that is valid and not removed, else its own; of an edit its new content.
    /// <c>null</c> if it is not known.
    /// </summary>
    public static RawJson? CurrentContent(RoomEvent e, RenderContext context, TypeCheck types)
    {
        if (IsEdit(e))
        {
            var id = types.NonEmpty(e.Content["m.relates_to"u8]["event_id"u8]);
            var newContent = types.Object(e.Content["m.new_content"u8]);
            return IsValidEdit(e, id, id is { } known ? context.FindEvent(known) : null, newContent) ? newContent : e.Content;
        }

        var count = 0;
        foreach (var edit in context.History.Edits(e))
        {
            var id = edit.Content["m.relates_to"u8]["event_id"u8].AsText();
            var newContent = new TypeCheck().Object(edit.Content["m.new_content"u8]);
            if (!newContent.Bytes.IsEmpty
                && id?.ToString() == e.EventId
                && IsValidEdit(edit, id, e, newContent)
                && !RemovedLine.ArrivedRedacted(edit)
                && !context.History.IsRemoved(edit))
            {
                return newContent;
            }

            count++;
            if (count == MaxEdits)
            {
                return null;
            }
        }

        return e.Content;
    }

    private static Relation Edit(RenderContext context, TypeCheck types, Utf8Text? id)
    {
        var e = context.Event;
        var target = id is { } known ? context.FindEvent(known) : null;
        var newContent = types.Object(e.Content["m.new_content"u8]);
        var isValid = IsValidEdit(e, id, target, newContent);
        var isRemoved = target is not null
            ? Reference.IsRemoved(context, target)
            : id is { } missing && Reference.IsMissingRemoved(context, missing, e.Sender);
        Phrase reference = (id, target) switch
        {
            (null, _) => "?"u8,
            ({ } unknown, null) => $"{(isRemoved ? "the removed event "u8 : ""u8)}{SafeText.EventId(unknown)}",
            (_, { } removed) when isRemoved => Reference.Removed(context, removed),
            (_, { } found) => isValid
                ? Reference.Time(context, found)
                : $"{SafeText.UserId(found.SenderText)} {Reference.Time(context, found)}",
        };
        return new(
            $"{(isValid ? ""u8 : "invalid "u8)}edit of {reference}",
            isValid ? newContent : e.Content,
            HasFallback: IsReply(e.Content) || IsReply(newContent) || (target is not null && IsReply(target.Content)),
            IsOfRemoved: isRemoved && (target is null || target.SenderText == e.SenderText));
    }

    /// <summary>Whether an edit replaces the content of an event. (Client-Server API, "Validity of replacement events".)</summary>
    public static bool IsValidEdit(RoomEvent edit, RoomEvent original) =>
        IsEdit(edit)
        && edit.Content["m.relates_to"u8]["event_id"u8].AsText()?.ToString() == original.EventId
        && edit.StateKey is null
        && Fits(edit, original)
        && edit.Content["m.new_content"u8].Kind == System.Text.Json.JsonValueKind.Object;

    // As far as is known: the target may be missing from the record, and encrypted new content is not visible.
    private static bool IsValidEdit(RoomEvent edit, Utf8Text? id, RoomEvent? target, RawJson newContent)
    {
        var hasContent = edit.CanonicalType == "m.room.encrypted" || !newContent.Bytes.IsEmpty;
        return id is not null && edit.StateKey is null && hasContent && (target is null || Fits(edit, target));
    }

    private static bool Fits(RoomEvent edit, RoomEvent target) =>
        target.SenderText == edit.SenderText && target.Type == edit.Type && target.StateKey is null && !IsEdit(target);

    private static Phrase Thread(RenderContext context, Utf8Text id)
    {
        if (context.FindEvent(id) is not { } root)
        {
            return $"in thread {SafeText.EventId(id)}";
        }

        if (Reference.IsRemoved(context, root))
        {
            return $"in the thread of {Reference.Removed(context, root)}";
        }

        Phrase withoutText = $"in the thread of {SafeText.UserId(root.SenderText)} {context.FormatTime(root)}";
        return Reference.Excerpt(context, root) is { } excerpt ? $"in thread {excerpt}" : withoutText;
    }
}
