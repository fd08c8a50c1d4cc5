using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The lines of polls. A vote is shown without its answer, since a poll may be secret until it ends. (MSC3381.)</summary>
internal static class PollLine
{
    /// <summary><c>&lt;@alice:example.org, poll&gt; Soup or pizza? (1) soup (2) pizza</c></summary>
    public static bool Start(RenderContext context) => MessageLine.Render(context, static (_, relation, _, types) =>
    {
        var poll = Poll(relation.Content, types);
        var maxSelections = new TypeCheck().Integer(poll["max_selections"u8]);
        var question = Question(relation.Content, types);
        var answers = types.Items(poll["answers"u8]).ConvertAll(answer => TextBlock.Plain(types.Object(answer), types));
        if (question is null || answers.Count == 0 || answers.Contains(null))
        {
            return null;
        }

        var text = new LineBuffer();
        text.Append(question.Value.Span);
        foreach (var (index, answer) in answers.Index())
        {
            text.Append(" ("u8);
            text.AppendFormatted(index + 1);
            text.Append(") "u8);
            text.Append(answer!.Value.Span);
        }

        return MessageContent.Plain(
            new(text.WrittenMemory), maxSelections > 1 ? $"poll, up to {maxSelections.Value} answers" : "poll"u8);
    });

    public static Utf8Text? Question(RawJson content, TypeCheck types) =>
        TextBlock.Plain(types.Object(Poll(content, types)["question"u8]), types);

    /// <summary><c>*** @bob:example.org voted in the poll "Soup or pizza?"</c>; an empty vote revokes an earlier one.</summary>
    public static bool Response(RenderContext context) => context.Sentence((content, types) =>
    {
        var unstable = types.Object(content["org.matrix.msc3381.poll.response"u8])["answers"u8];
        var selections = TypeCheck.StableOrUnstable(content["m.selections"u8], unstable);
        var selected = types.Items(selections).ConvertAll(types.String);
        if (selections.Kind != JsonValueKind.Array || types.Failed || PollId(content, types) is not { } id)
        {
            return null;
        }

        var target = context.FindEvent(id);
        return target is not null && !IsPoll(target) ? Phrase.None
            : $"{(selected.Count == 0 ? "took back their vote"u8 : "voted"u8)} in {Describe(context, id, target)}";
    });

    // Clients accept it only from the poll's sender and from those who may redact: others' polls, and unknown ones, are named.
    /// <summary><c>&lt;@alice:example.org, poll "Soup or pizza?" ended&gt; soup won</c></summary>
    public static bool End(RenderContext context) => MessageLine.Render(context, static (context, relation, _, types) =>
    {
        if (PollId(relation.Content, types) is not { } id)
        {
            return null;
        }

        var text = TextBlock.Plain(relation.Content, types) ?? default;
        var poll = context.FindEvent(id);
        if (poll is not null && !IsPoll(poll))
        {
            return null;
        }

        if (poll is null)
        {
            return Reference.IsMissingRemoved(context, id, context.Event.Sender)
                ? MessageContent.Plain(default, $"ends the removed poll {SafeText.EventId(id)}")
                : MessageContent.Plain(text, $"ends the poll {SafeText.EventId(id)}");
        }

        var isOwn = poll.SenderText == context.Event.SenderText;
        if (Reference.IsRemoved(context, poll))
        {
            // The text names an answer.
            return MessageContent.Plain(default, $"{(isOwn ? "ended"u8 : "ends"u8)} {Reference.Removed(context, poll)}");
        }

        var question = Reference.Quote(context, poll) is { } quote ? $" {quote}" : Phrase.None;
        Phrase ended = $"poll{question} ended";
        return MessageContent.Plain(
            text, isOwn ? ended : $"ends the poll{question} of {SafeText.UserId(poll.SenderText)} {context.FormatTime(poll)}");
    });

    private static Phrase Describe(RenderContext context, Utf8Text id, RoomEvent? poll) =>
        poll is null ? $"the poll {SafeText.EventId(id)}"
        : Reference.IsRemoved(context, poll) ? Reference.Removed(context, poll)
        : Reference.Quote(context, poll) is { } question ? $"the poll {question}"
        : Reference.WithoutExcerpt(context, poll);

    private static bool IsPoll(RoomEvent e) => EventKind.Describe(e).SequenceEqual("poll"u8);

    private static RawJson Poll(RawJson content, TypeCheck types) =>
        types.Object(TypeCheck.StableOrUnstable(content["m.poll"u8], content["org.matrix.msc3381.poll.start"u8]));

    private static Utf8Text? PollId(RawJson content, TypeCheck types)
    {
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        return types.IsString(relatesTo["rel_type"u8], "m.reference"u8) && !types.Failed ? id : null;
    }
}
