using System.Text;

namespace LoggingService.Consent;

/// <summary>
/// Leaves out what senders do not want to be logged: messages that begin with <c>NoLogPrefix</c>, edits of them, and quotations of them in
/// replies. What is pushed and what is fetched passes it before the journal.
/// </summary>
internal sealed class OptOut(LoggingServiceOptions options, NotLoggedEvents notLogged)
{
    /// <summary>Returns the events to log, in order, with stubs in place of those that must not be logged.</summary>
    /// <exception cref="IOException">It is not known yet which events were not logged.</exception>
    public ValueTask<IReadOnlyList<RoomEvent>> ApplyAsync(IReadOnlyList<RoomEvent> events)
    {
        var prefix = options.NoLogPrefix;
        return prefix.Length == 0 ? new(events) : ApplyAsync(events, Encoding.UTF8.GetBytes(prefix));
    }

    private async ValueTask<IReadOnlyList<RoomEvent>> ApplyAsync(IReadOnlyList<RoomEvent> events, byte[] prefix)
    {
        RoomEvent[]? applied = null;
        for (var i = 0; i < events.Count; i++)
        {
            var e = events[i];
            if (e is { IsNote: false, StateKeyText: null, Type: not "m.room.redaction" })
            {
                var logged = await ApplyAsync(e, prefix);
                if (logged != e)
                {
                    applied ??= [.. events];
                    applied[i] = logged;
                }
            }
        }

        return applied ?? events;
    }

    private async ValueTask<RoomEvent> ApplyAsync(RoomEvent e, byte[] prefix)
    {
        var content = e.Content;
        var isOptedOut = Begins(content, prefix) || Begins(content["m.new_content"u8], prefix);
        var relatesTo = content["m.relates_to"u8];
        if (!isOptedOut && relatesTo.Bytes.IsEmpty)
        {
            return e;
        }

        var known = await notLogged.GetAsync(e.RoomId);
        var edited = relatesTo["rel_type"u8].IsString("m.replace"u8) ? Find(relatesTo["event_id"u8]) : null;
        if (isOptedOut || edited == true)
        {
            known[e.EventId] = true;
            return EventStub.Create(e);
        }

        var repliedTo = Find(RepliedTo(content)) ?? Find(RepliedTo(content["m.new_content"u8]));
        if (edited is null && repliedTo is null)
        {
            return e;
        }

        known.TryAdd(e.EventId, false);
        return EventStub.WithContent(e, ReplyQuote.RemoveFrom(content));

        bool? Find(RawJson id) => id.AsString() is { } text && known.TryGetValue(text, out var isStub) ? isStub : null;
    }

    private static RawJson RepliedTo(RawJson content) => content["m.relates_to"u8]["m.in_reply_to"u8]["event_id"u8];

    /// <summary>Whether the body begins with the prefix, white space aside; of a reply the text behind its quotation.</summary>
    private static bool Begins(RawJson content, byte[] prefix)
    {
        if (content["body"u8].AsText() is not { Length: > 0 } body)
        {
            return false;
        }

        var text = body.Span.TrimStart(" \t\r\n"u8);
        return text.StartsWith(prefix)
            || (text[0..Math.Min(1, text.Length)].IndexOfAny((byte)'>', (byte)'*') >= 0 && BeginsBehindQuote(body.ToString(), prefix));
    }

    private static bool BeginsBehindQuote(string body, byte[] prefix)
    {
        var rest = ReplyQuote.FromBody(body).TrimStart();
        var text = rest.StartsWith("* ", StringComparison.Ordinal) ? rest[2..].TrimStart() : rest;
        return Encoding.UTF8.GetBytes(text).AsSpan().StartsWith(prefix);
    }
}
