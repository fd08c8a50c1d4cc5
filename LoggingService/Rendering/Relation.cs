namespace LoggingService.Rendering;

/// <summary>How a message relates to an earlier one: a reply, part of a thread, an edit.</summary>
/// <param name="Head">The part of the head that describes the relation; <c>null</c> if there is none.</param>
/// <param name="Content">The message's own content; the new content of an edit.</param>
/// <param name="HasFallback">The body may start with a quotation of the earlier message.</param>
internal readonly record struct Relation(Phrase? Head, RawJson Content, bool HasFallback)
{
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
    /// (<c>> &lt;@alice:example.org> …</c>): any other quotation is the sender's own.
    /// (Client-Server API, "Fallbacks for rich replies", up to v1.12.)
    /// </summary>
    public static Utf8Text RemoveFallback(Utf8Text body)
    {
        if (!body.StartsWith("> <@"u8) && !body.StartsWith("> * <@"u8))
        {
            return body;
        }

        var rest = body;
        while (rest.StartsWith("> "u8))
        {
            var end = rest.Span.IndexOf((byte)'\n');
            rest = end < 0 ? default : rest[(end + 1)..];
        }

        rest = rest.StartsWith("\n"u8) ? rest[1..] : rest;
        return rest.Length == 0 ? body : rest;
    }

    public static bool IsEdit(RoomEvent e) => e.Content["m.relates_to"u8]["rel_type"u8].IsString("m.replace"u8);

    /// <summary>The content that an event's line shows: its content, or the new content of a valid edit.</summary>
    public static RawJson OwnContent(RoomEvent e, RoomHistory history, TypeCheck types)
    {
        if (!IsEdit(e))
        {
            return e.Content;
        }

        var id = types.NonEmpty(e.Content["m.relates_to"u8]["event_id"u8]);
        var newContent = types.Object(e.Content["m.new_content"u8]);
        return IsValidEdit(e, id, id is { } known ? history.FindEvent(known.ToString()) : null, newContent) ? newContent : e.Content;
    }

    private static Relation Edit(RenderContext context, TypeCheck types, Utf8Text? id)
    {
        var e = context.Event;
        var target = id is { } known ? context.FindEvent(known) : null;
        var newContent = types.Object(e.Content["m.new_content"u8]);
        var isValid = IsValidEdit(e, id, target, newContent);
        Phrase reference = (id, target) switch
        {
            (null, _) => "?"u8,
            ({ } unknown, null) => SafeText.EventId(unknown),
            (_, { } found) => isValid ? context.FormatTime(found) : $"{SafeText.UserId(found.SenderText)} {context.FormatTime(found)}",
        };
        return new($"{(isValid ? ""u8 : "invalid "u8)}edit of {reference}", isValid ? newContent : e.Content, HasFallback: false);
    }

    // As far as is known: the target may be missing from the record, and encrypted new content is not visible.
    private static bool IsValidEdit(RoomEvent edit, Utf8Text? id, RoomEvent? target, RawJson newContent)
    {
        var hasContent = edit.CanonicalType == "m.room.encrypted" || !newContent.Bytes.IsEmpty;
        var fitsTarget = target is null
            || (target.SenderText == edit.SenderText && target.Type == edit.Type && target.StateKey is null && !IsEdit(target));
        return id is not null && hasContent && fitsTarget;
    }

    private static Phrase Thread(RenderContext context, Utf8Text id) => context.FindEvent(id) switch
    {
        null => $"in thread {SafeText.EventId(id)}",
        var root when Reference.Excerpt(context, root) is { } excerpt => $"in thread {excerpt}",
        var root => $"in the thread of {SafeText.UserId(root.SenderText)} {context.FormatTime(root)}",
    };
}
