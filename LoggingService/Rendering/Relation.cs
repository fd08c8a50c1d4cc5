using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>What a message is to an earlier one, a reply, part of a thread or an edit, and what it says itself.</summary>
/// <param name="Head">What the head says of it, a part each.</param>
/// <param name="Content">Where the message's own words are: its content, or for an edit the new content.</param>
/// <param name="HasFallback">The body may begin with a quotation of the earlier message.</param>
internal readonly record struct Relation(IReadOnlyList<string> Head, RawJson Content, bool HasFallback)
{
    /// <summary>Reads a message's relation. (Client-Server API, "Forming relationships between events", "Rich replies", "Threading", "Event replacements".)</summary>
    public static Relation Read(RenderContext context, TypeCheck types)
    {
        var content = context.Event.Content;
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var kind = types.String(relatesTo["rel_type"u8]);
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        var isFallingBack = types.Boolean(relatesTo["is_falling_back"u8]) == true;
        if (kind == "m.replace")
        {
            return Edit(context, types, id);
        }

        var head = new List<string>();
        var repliedTo = types.NonEmpty(types.Object(relatesTo["m.in_reply_to"u8])["event_id"u8]);
        var inThread = kind == "m.thread" && id is not null;
        if (inThread)
        {
            head.Add(Thread(context, id!));
        }

        // In a thread a reply may be there only for clients that know no threads.
        if (repliedTo is not null && !(inThread && isFallingBack))
        {
            head.Add($"to {Reference.To(context, repliedTo)}");
        }

        return new(head, content, HasFallback: repliedTo is not null);
    }

    /// <summary>
    /// A reply's body without the quotation that it begins with. Only what has the shape that clients gave it goes
    /// (<c>> &lt;@alice:example.org> …</c>): a quotation that its writer chose to begin with is theirs to say.
    /// (Client-Server API, "Fallbacks for rich replies", up to v1.12.)
    /// </summary>
    public static string WithoutFallback(string body)
    {
        if (!body.StartsWith("> <@", StringComparison.Ordinal) && !body.StartsWith("> * <@", StringComparison.Ordinal))
        {
            return body;
        }

        var rest = body.AsSpan();
        while (rest.StartsWith("> "))
        {
            var end = rest.IndexOf('\n');
            rest = end < 0 ? default : rest[(end + 1)..];
        }

        if (rest.StartsWith("\n"))
        {
            rest = rest[1..];
        }

        return rest.IsEmpty ? body : rest.ToString();
    }

    /// <summary>Whether an event is an edit of another (Client-Server API, "Event replacements").</summary>
    public static bool IsEdit(RoomEvent e) => e.Content["m.relates_to"u8]["rel_type"u8].AsString() == "m.replace";

    /// <summary>
    /// Where an event's own words are: in its content, or of an edit that counts in its new content. So a line that
    /// refers to it quotes what its own line shows.
    /// </summary>
    public static RawJson OwnContent(RoomEvent e, RoomHistory history, TypeCheck types)
    {
        if (!IsEdit(e))
        {
            return e.Content;
        }

        var id = types.NonEmpty(e.Content["m.relates_to"u8]["event_id"u8]);
        var newContent = types.Object(e.Content["m.new_content"u8]);
        return Counts(e, id, id is null ? null : history.FindEvent(id), newContent) ? newContent : e.Content;
    }

    private static Relation Edit(RenderContext context, TypeCheck types, string? id)
    {
        var e = context.Event;
        var target = id is null ? null : context.History.FindEvent(id);
        var newContent = types.Object(e.Content["m.new_content"u8]);
        var counts = Counts(e, id, target, newContent);
        var what = (id, target) switch
        {
            (null, _) => "?",
            (_, null) => SafeText.EventId(id),
            _ => counts ? context.FormatTime(target) : $"{SafeText.UserId(target.Sender)} {context.FormatTime(target)}",
        };
        return new([$"{(counts ? "" : "invalid ")}edit of {what}"], counts ? newContent : e.Content, HasFallback: false);
    }

    /// <summary>Whether an edit is one, as far as can be known: what it edits may be missing in the record. The new content of an encrypted one can't be seen.</summary>
    private static bool Counts(RoomEvent edit, string? id, RoomEvent? target, RawJson newContent) =>
        id is not null && (edit.Type == "m.room.encrypted" || !newContent.Bytes.IsEmpty)
        && (target is null || (target.Sender == edit.Sender && target.Type == edit.Type && target.StateKey is null && !IsEdit(target)));

    private static string Thread(RenderContext context, string id) => context.History.FindEvent(id) switch
    {
        null => $"in thread {SafeText.EventId(id)}",
        var root when Reference.Excerpt(context, root) is { } beginning => $"in thread {beginning}",
        var root => $"in the thread of {SafeText.UserId(root.Sender)} {context.FormatTime(root)}",
    };
}
