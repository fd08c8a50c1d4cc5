namespace LoggingService.Rendering;

/// <summary>How a message relates to an earlier one: a reply, part of a thread, an edit.</summary>
/// <param name="Head">The parts of the head that describe the relation.</param>
/// <param name="Content">The message's own content; the new content of an edit.</param>
/// <param name="HasFallback">The body may start with a quotation of the earlier message.</param>
internal readonly record struct Relation(IReadOnlyList<string> Head, RawJson Content, bool HasFallback)
{
    /// <remarks>Client-Server API, "Forming relationships between events", "Rich replies", "Threading", "Event replacements".</remarks>
    public static Relation Read(RenderContext context, TypeCheck types)
    {
        var content = context.Event.Content;
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var relType = types.String(relatesTo["rel_type"u8]);
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
        string?[] head =
        [
            threadRoot is null ? null : Thread(context, threadRoot),
            isReply ? $"to {Reference.To(context, repliedTo!)}" : null,
        ];
        return new([.. head.OfType<string>()], content, HasFallback: repliedTo is not null);
    }

    /// <summary>
    /// Removes the quotation at the start of a reply's body, but only in the form that clients generate
    /// (<c>> &lt;@alice:example.org> …</c>): any other quotation is the sender's own.
    /// (Client-Server API, "Fallbacks for rich replies", up to v1.12.)
    /// </summary>
    public static string RemoveFallback(string body)
    {
        if (!body.StartsWith("> <@", StringComparison.Ordinal) && !body.StartsWith("> * <@", StringComparison.Ordinal))
        {
            return body;
        }

        var rest = string.Join('\n', body.Split('\n').SkipWhile(static line => line.StartsWith("> ", StringComparison.Ordinal)));
        rest = rest.StartsWith('\n') ? rest[1..] : rest;
        return rest.Length == 0 ? body : rest;
    }

    public static bool IsEdit(RoomEvent e) => e.Content["m.relates_to"u8]["rel_type"u8].AsString() == "m.replace";

    /// <summary>The content that an event's line shows: its content, or the new content of a valid edit.</summary>
    public static RawJson OwnContent(RoomEvent e, RoomHistory history, TypeCheck types)
    {
        if (!IsEdit(e))
        {
            return e.Content;
        }

        var id = types.NonEmpty(e.Content["m.relates_to"u8]["event_id"u8]);
        var newContent = types.Object(e.Content["m.new_content"u8]);
        return IsValidEdit(e, id, id is null ? null : history.FindEvent(id), newContent) ? newContent : e.Content;
    }

    private static Relation Edit(RenderContext context, TypeCheck types, string? id)
    {
        var e = context.Event;
        var target = id is null ? null : context.History.FindEvent(id);
        var newContent = types.Object(e.Content["m.new_content"u8]);
        var isValid = IsValidEdit(e, id, target, newContent);
        var reference = (id, target) switch
        {
            (null, _) => "?",
            (_, null) => SafeText.EventId(id),
            _ => isValid ? context.FormatTime(target) : $"{SafeText.UserId(target.Sender)} {context.FormatTime(target)}",
        };
        return new([$"{(isValid ? "" : "invalid ")}edit of {reference}"], isValid ? newContent : e.Content, HasFallback: false);
    }

    // As far as is known: the target may be missing from the record, and encrypted new content is not visible.
    private static bool IsValidEdit(RoomEvent edit, string? id, RoomEvent? target, RawJson newContent)
    {
        var hasContent = edit.CanonicalType == "m.room.encrypted" || !newContent.Bytes.IsEmpty;
        var fitsTarget = target is null
            || (target.Sender == edit.Sender && target.Type == edit.Type && target.StateKey is null && !IsEdit(target));
        return id is not null && hasContent && fitsTarget;
    }

    private static string Thread(RenderContext context, string id) => context.History.FindEvent(id) switch
    {
        null => $"in thread {SafeText.EventId(id)}",
        var root when Reference.Excerpt(context, root) is { } excerpt => $"in thread {excerpt}",
        var root => $"in the thread of {SafeText.UserId(root.Sender)} {context.FormatTime(root)}",
    };
}
