using LoggingService.Transactions;

namespace LoggingService.Lines;

/// <summary>What a message is to an earlier one, a reply, part of a thread or an edit, and what it says itself.</summary>
/// <param name="Head">What the head says of it, a part each.</param>
/// <param name="Content">Where the message's own words are: its content, or for an edit the new content.</param>
/// <param name="HasFallback">The body may begin with a quotation of the earlier message.</param>
internal readonly record struct Relation(IReadOnlyList<string> Head, RawJson Content, bool HasFallback)
{
    /// <summary>Reads a message's relation. (Client-Server API, "Forming relationships between events", "Rich replies", "Threading", "Event replacements".)</summary>
    public static Relation Read(LineSource line, TypeCheck types)
    {
        var content = line.Event.Content;
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var kind = types.String(relatesTo["rel_type"u8]);
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        var isFallingBack = types.Boolean(relatesTo["is_falling_back"u8]) == true;
        if (kind == "m.replace")
        {
            return id is null ? new(["invalid edit of ?"], content, HasFallback: false) : Edit(line, types, id);
        }

        var head = new List<string>();
        var repliedTo = types.NonEmpty(types.Object(relatesTo["m.in_reply_to"u8])["event_id"u8]);
        var inThread = kind == "m.thread" && id is not null;
        if (inThread)
        {
            head.Add(Thread(line, id!));
        }

        // In a thread a reply may be there only for clients that know no threads.
        if (repliedTo is not null && !(inThread && isFallingBack))
        {
            head.Add($"to {Reference.To(line, repliedTo)}");
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

    private static Relation Edit(LineSource line, TypeCheck types, string id)
    {
        var e = line.Event;
        var newContent = types.Object(e.Content["m.new_content"u8]);
        var isEncrypted = e.Type == "m.room.encrypted";
        var hasNewContent = isEncrypted || !newContent.Bytes.IsEmpty;
        if (line.Before.ById(id) is not { } target)
        {
            return new([$"{(hasNewContent ? "" : "invalid ")}edit of {SafeText.EventId(id)}"], hasNewContent ? newContent : e.Content, HasFallback: false);
        }

        var isValid = hasNewContent && target.Sender == e.Sender && target.Type == e.Type && target.StateKey is null
            && !IsEdit(target);
        return isValid
            ? new([$"edit of {line.TimeOf(target)}"], newContent, HasFallback: false)
            : new([$"invalid edit of {SafeText.UserId(target.Sender)} {line.TimeOf(target)}"], e.Content, HasFallback: false);
    }

    private static string Thread(LineSource line, string id) => line.Before.ById(id) switch
    {
        null => $"in thread {SafeText.EventId(id)}",
        var root when Reference.Beginning(root) is { } beginning => $"in thread {beginning}",
        var root => $"in the thread of {SafeText.UserId(root.Sender)} {line.TimeOf(root)}",
    };
}
