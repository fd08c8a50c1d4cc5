using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of polls: the question, that somebody voted (never for what: a poll may be secret until it ends), the end. (MSC3381.)</summary>
internal static class PollLine
{
    /// <summary><c>&lt;@alice:example.org, poll&gt; Soup or pizza? (1) soup (2) pizza</c>; <c>null</c> where content has a wrong type, or no question or answer.</summary>
    public static string? Start(RenderContext context) => MessageLine.Render(context, static (relation, types) =>
    {
        var poll = Poll(relation.Content, types);
        var most = types.Integer(poll["max_selections"u8]);
        var question = Question(relation.Content, types);
        var answers = types.Items(poll["answers"u8]).ConvertAll(answer => TextBlock.Plain(types.Object(answer), types));
        if (question is null || answers.Count == 0 || answers.Contains(null))
        {
            return null;
        }

        string[] about = most > 1 ? ["poll", $"up to {most} answers"] : ["poll"];
        return MessageContent.Plain(string.Concat(answers.Select(static (answer, i) => $" ({i + 1}) {answer}").Prepend(question)), about);
    });

    /// <summary>What a poll asks; <c>null</c> where it asks nothing.</summary>
    public static string? Question(RawJson content, TypeCheck types) =>
        TextBlock.Plain(types.Object(Poll(content, types)["question"u8]), types);

    /// <summary><c>*** @bob:example.org voted</c>; <c>null</c> where content has a wrong type or says no poll. An empty vote takes back an earlier one.</summary>
    public static string? Response(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var selections = TypeCheck.StableOrUnstable(content["m.selections"u8], types.Object(content["org.matrix.msc3381.poll.response"u8])["answers"u8]);
        var chosen = types.Items(selections).ConvertAll(types.String);
        return types.Failed || selections.Kind != JsonValueKind.Array || PollId(content, types) is null
            ? null
            : $"*** {context.Sender} {(chosen.Count == 0 ? "took back their vote" : "voted")}";
    }

    /// <summary><c>&lt;@alice:example.org, poll ended&gt; soup won</c>; a poll that is another's or that the record doesn't have is named. <c>null</c> where content has a wrong type or says no poll.</summary>
    public static string? End(RenderContext context)
    {
        return MessageLine.Render(context, Describe);

        MessageContent? Describe(Relation relation, TypeCheck types)
        {
            if (PollId(relation.Content, types) is not { } id)
            {
                return null;
            }

            // Only who began it may end it, and who may remove messages; a client takes no notice of others.
            var text = TextBlock.Plain(relation.Content, types) ?? "";
            return context.History.FindEvent(id) switch
            {
                null => MessageContent.Plain(text, $"ends the poll {SafeText.EventId(id)}"),
                { } target when EventKind.Describe(target) != "poll" => null,
                { } poll when poll.Sender == context.Event.Sender => MessageContent.Plain(text, "poll ended"),
                { } poll => MessageContent.Plain(text, $"ends {Reference.WithoutExcerpt(context, poll)}"),
            };
        }
    }

    private static RawJson Poll(RawJson content, TypeCheck types) =>
        types.Object(TypeCheck.StableOrUnstable(content["m.poll"u8], content["org.matrix.msc3381.poll.start"u8]));

    private static string? PollId(RawJson content, TypeCheck types)
    {
        var relatesTo = types.Object(content["m.relates_to"u8]);
        var id = types.NonEmpty(relatesTo["event_id"u8]);
        return types.String(relatesTo["rel_type"u8]) == "m.reference" && !types.Failed ? id : null;
    }
}
