using System.Text;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>
/// Leaves out what senders do not want to be logged: messages that begin with <c>NoLogPrefix</c>, edits of them, and quotations of them in
/// replies; and all of a room that wants a pause. What is pushed and what is fetched passes it before the journal.
/// </summary>
internal sealed class OptOut(LoggingServiceOptions options, RoomWishes wishes, RoomFiles files, NotLoggedEvents notLogged)
{
    /// <summary>Returns the events to log, in order, with stubs in place of those that must not be logged.</summary>
    public ValueTask<IReadOnlyList<RoomEvent>> ApplyAsync(IReadOnlyList<RoomEvent> events)
    {
        // Most rooms have no wishes, and events come in runs of one room.
        string? roomId = null;
        foreach (var e in events)
        {
            if (options.NoLogPrefix.Length > 0 || (e.RoomId != roomId && MayLeaveOut(e.RoomId)))
            {
                return ApplyToEachAsync(events);
            }

            roomId = e.RoomId;
        }

        return new(events);
    }

    /// <summary>Also without a prefix now: edits and quotations of what was left out earlier are left out, too.</summary>
    private bool MayLeaveOut(string roomId) =>
        notLogged.HasAny(roomId) || wishes.Get(roomId) is { NoLogPrefix: not null } or { IsPaused: true };

    /// <summary>What is logged during a pause: what says who may end it, and which room it is.</summary>
    private static bool IsLoggedInPause(RoomEvent e) => e.IsNote
        || e is
        {
            StateKeyText.Length: 0,
            Type: RoomWish.EventType or "m.room.create" or "m.room.power_levels" or "m.room.canonical_alias" or "m.room.tombstone"
        };

    private async ValueTask<IReadOnlyList<RoomEvent>> ApplyToEachAsync(IReadOnlyList<RoomEvent> events)
    {
        var logged = new List<RoomEvent>(events.Count);
        foreach (var e in events)
        {
            var wish = wishes.Get(e.RoomId);
            if (wish.IsPaused && !IsLoggedInPause(e))
            {
                continue;
            }

            byte[][] prefixes =
            [
                .. ((string?[])[options.NoLogPrefix, wish.NoLogPrefix]).Where(prefix => !string.IsNullOrEmpty(prefix))
                    .Select(prefix => Encoding.UTF8.GetBytes(prefix!)),
            ];
            var isMessage = e is { IsNote: false, StateKeyText: null, Type: not "m.room.redaction" };
            logged.Add(isMessage ? await ApplyAsync(e, prefixes) : e);
        }

        return logged;
    }

    private async ValueTask<RoomEvent> ApplyAsync(RoomEvent e, byte[][] prefixes)
    {
        var content = e.Content;
        var isOptedOut = prefixes.Any(prefix => Begins(content, prefix) || Begins(content["m.new_content"u8], prefix));
        var relatesTo = content["m.relates_to"u8];
        if (!isOptedOut && relatesTo.Bytes.IsEmpty)
        {
            return e;
        }

        var known = await notLogged.GetAsync(e.RoomId, prefixes.Length > 0);
        var edited = relatesTo["rel_type"u8].IsString("m.replace"u8) ? Find(relatesTo["event_id"u8]) : null;
        if (isOptedOut || edited == true)
        {
            known[e.EventId] = true;
            NoteNotLogged(e.RoomId);
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

    private void NoteNotLogged(string roomId)
    {
        if (files.Find(roomId)?.HasNotLogged == true)
        {
            return;
        }

        try
        {
            files.Update(roomId, file => file with { HasNotLogged = true });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One room must not stop the others. It is in effect until the service stops, and later while there is a prefix.
        }
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
