using LoggingService.Rendering;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <summary>Makes of events what a page shows of them.</summary>
internal sealed class ChatMessages(RoomVisibility room, ChatRelations relations, EventLookup others, TimeZoneInfo zone, Text text)
{
    private const int ExcerptLength = 140;

    // The types of events that are messages; the others are sentences.
    public static bool IsMessage(VisibleEvent e) => e.Event is { IsNote: false, StateKeyText: null }
        && (e.Stub is not null || e.Event.CanonicalType is "m.room.message" or "m.sticker" or "m.room.encrypted" or "m.poll.start");

    public DateTimeOffset TimeOf(VisibleEvent e) => LogLine.Time(e.Event, zone);

    /// <summary>Looks up what lines answer on other days, before they are created.</summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public void LoadAnswered(IEnumerable<VisibleEvent> lines) => others.Load(lines
        .SelectMany(e => relations.ThreadOf(e.Event.EventId).Prepend(e))
        .Select(AnsweredBy)
        .OfType<string>()
        .Where(id => relations.Find(id) is null));

    public ChatMessage Create(VisibleEvent e)
    {
        var message = new ChatMessage(e.Event.EventId, TimeOf(e), SenderOf(e))
        {
            ThreadGoesOn = relations.IsLongThread(e.Event.EventId),
        };
        var reactions = Reactions(e.Event.EventId);
        var thread = relations.ThreadOf(e.Event.EventId).Select(Create).ToList();
        if (e.Stub is not null)
        {
            return message with { Stub = e.Stub, RemovedBy = RemovalOf(e), Thread = thread };
        }

        if (e.Event.CanonicalType == "m.room.encrypted")
        {
            return message with { IsEncrypted = true, Reactions = reactions, Thread = thread };
        }

        var edits = relations.EditsOf(e.Event.EventId).Where(edit => edit.Stub is null).ToList();
        var versions = edits.Prepend(e).ToList();
        var content = ContentOf(versions[^1]);
        var body = BodyOf(content);
        var file = FileOf(e.Event, content, body);
        var caption = file?.Name == body ? "" : body;
        return message with
        {
            Sender = ProfileOf(content) is { } name ? message.Sender with { Name = name } : message.Sender,
            Form = content["msgtype"u8].AsString() switch
            {
                "m.notice" => MessageForm.Notice,
                "m.emote" => MessageForm.Emote,
                _ => MessageForm.Plain,
            },
            File = file,
            Poll = PollOf(e, content),
            Body = file is not null && caption.Length == 0 ? HtmlString.Empty : MessageHtml.Of(content, caption, text),
            PlainText = caption,
            Reply = ReplyOf(e),
            EditedAt = edits.Count > 0 ? TimeOf(edits[^1]) : null,
            Versions = [.. versions.SkipLast(1).Select(version => new ChatVersion(TimeOf(version), HtmlOf(version)))],
            Reactions = reactions,
            Thread = thread,
        };
    }

    /// <summary>The text of a message as it is now, as one line; empty if it has none.</summary>
    public string ExcerptOf(VisibleEvent e)
    {
        var newest = relations.EditsOf(e.Event.EventId).LastOrDefault(edit => edit.Stub is null) ?? e;
        var body = BodyOf(ContentOf(newest)).ReplaceLineEndings(" ").Trim();
        if (body.Length <= ExcerptLength)
        {
            return body;
        }

        var length = char.IsHighSurrogate(body[ExcerptLength - 1]) ? ExcerptLength - 1 : ExcerptLength;
        return $"{body[..length]}…";
    }

    public ChatSender SenderOf(VisibleEvent e) => e.Event.Sender is { } id
        ? new(room.NameOf(id, e.Position) is { Length: > 0 } name && !string.IsNullOrWhiteSpace(name) ? name : id, id)
        : new("?", null);

    private static RawJson ContentOf(VisibleEvent e) => e.Original is not null && e.Event.Content["m.new_content"u8] is { } content
        && content.Kind == System.Text.Json.JsonValueKind.Object ? content : e.Event.Content;

    private HtmlString HtmlOf(VisibleEvent version) => MessageHtml.Of(ContentOf(version), BodyOf(ContentOf(version)), text);

    private static string BodyOf(RawJson content)
    {
        var types = new TypeCheck();
        if (PollQuestion(content, types) is { } question)
        {
            return question;
        }

        return MessageLine.Text(content, hasFallback: false, PerMessageProfile.Read(content, types), types)?.ToString() ?? "";
    }

    private static string? ProfileOf(RawJson content) => PerMessageProfile.Read(content, new TypeCheck()).Name?.ToString();

    private static ChatFile? FileOf(RoomEvent e, RawJson content, string body)
    {
        var kind = e.CanonicalType == "m.sticker" ? "sticker" : System.Text.Encoding.ASCII.GetString(MessageLine.FileKind(content));
        if (kind.Length == 0)
        {
            return null;
        }

        var types = new TypeCheck();
        var size = types.Integer(types.Object(content["info"u8])["size"u8]);
        var name = types.NonEmpty(content["filename"u8])?.ToString() ?? body;
        return new(kind, name, size >= 0 ? Attachment.Size(size.Value) : null);
    }

    private ChatReply? ReplyOf(VisibleEvent e)
    {
        if (e.Original is { } original && relations.Find(original) is null)
        {
            return new(original, null, null, null);
        }

        if (AnsweredBy(e) is not { } id)
        {
            return null;
        }

        var target = Find(id);
        if (target?.Original is { } edited && Find(edited) is { } message && message.Event.Sender == target.Event.Sender)
        {
            (id, target) = (edited, message);
        }

        return target is null ? new(id, null, null, room.RemovalOf(id))
            : target.Stub is not null ? new(id, SenderOf(target), null, target.Stub)
            : new(id, SenderOf(target), ExcerptOf(target), null);
    }

    /// <summary>What a line answers, or the first message of its thread if it is not shown there.</summary>
    private string? AnsweredBy(VisibleEvent e)
    {
        var relation = e.Event.Content["m.relates_to"u8];
        var isFallback = relation["rel_type"u8].IsString("m.thread"u8) && relation["is_falling_back"u8].AsBoolean() == true;
        return (isFallback ? RootOf(e) : relation["m.in_reply_to"u8]["event_id"u8].AsString()) is { Length: > 0 } id ? id : null;
    }

    private VisibleEvent? Find(string id) => relations.Find(id) ?? others.Find(id);

    /// <summary>The first message of a thread, for a line that is not shown there.</summary>
    private string? RootOf(VisibleEvent e) =>
        ChatRelations.RelationOf(e).Target is { } root && !relations.ThreadOf(relations.OriginalOf(root)).Contains(e) ? root : null;

    private string? RemovalOf(VisibleEvent e)
    {
        if (relations.RedactionOf(e.Event.EventId) is not { Sender: { } by } redaction)
        {
            return null;
        }

        return redaction.Content["reason"u8].AsString() is { Length: > 0 } reason ? $"{by}: {reason}" : by;
    }

    private List<ChatReaction> Reactions(string eventId) =>
    [
        .. relations.ReactionsTo(eventId)
            .Where(reaction => reaction.Stub is null)
            .Select(reaction => (Key: KeyOf(reaction.Event.Content), Name: SenderOf(reaction).Name))
            .Where(reaction => reaction.Key.Length > 0)
            .GroupBy(reaction => reaction.Key)
            .Select(group => new ChatReaction(group.Key, [.. group.Select(reaction => reaction.Name).Distinct()])),
    ];

    /// <summary>Of an image its shortcode. (MSC4027.)</summary>
    private static string KeyOf(RawJson content)
    {
        var key = ReactionLine.Key(content, new TypeCheck())?.ToString() ?? "";
        return key.StartsWith("mxc:", StringComparison.Ordinal) ? "🖼" : key.Length > 40 ? $"{key[..39]}…" : key;
    }

    private ChatPoll? PollOf(VisibleEvent e, RawJson content)
    {
        var types = new TypeCheck();
        if (e.Event.CanonicalType != "m.poll.start" || PollQuestion(content, types) is not { } question)
        {
            return null;
        }

        var poll = Poll(content, types);
        var isSecret = types.String(poll["kind"u8])?.ToString() is not ("m.disclosed" or "org.matrix.msc3381.poll.disclosed");
        var end = relations.EndOf(e.Event.EventId);
        var maximum = (int)Math.Clamp(types.Integer(poll["max_selections"u8]) ?? 1, 1, 20);
        var votes = PollVotes.Count(relations.VotesIn(e.Event.EventId), end, maximum);
        var answers = types.Items(poll["answers"u8]).ConvertAll(answer => new ChatAnswer(
            TextBlock.Plain(answer, types)?.ToString() ?? "",
            votes.GetValueOrDefault((answer["m.id"u8].AsString() ?? answer["id"u8].AsString()) ?? "")));
        return new(question, answers, end is not null, isSecret);
    }

    private static string? PollQuestion(RawJson content, TypeCheck types) =>
        Poll(content, types).Bytes.IsEmpty ? null : PollLine.Question(content, types)?.ToString();

    private static RawJson Poll(RawJson content, TypeCheck types) =>
        types.Object(TypeCheck.StableOrUnstable(content["m.poll"u8], content["org.matrix.msc3381.poll.start"u8]));
}
