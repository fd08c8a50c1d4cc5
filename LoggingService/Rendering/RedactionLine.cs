using System.Text;

namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.redaction</c>. (Client-Server API, "Redactions".)</summary>
internal static class RedactionLine
{
    public static bool Render(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);
        var id = RedactionTarget.Read(context.Event.Json);
        var reason = types.NonEmpty(content["reason"u8]);
        if (types.Failed)
        {
            return false;
        }

        if (id is not { } targetId)
        {
            return context.ArrivedRedacted && RemovedLine.Render(context);
        }

        if (context.FindEvent(targetId) is not { } target)
        {
            return context.Write($"*** {context.Sender} removed the event {SafeText.EventId(targetId)}{SafeText.QuotedSuffix(reason)}");
        }

        if (RoomCallLine.IsRaisedHand(context, target))
        {
            var isOwn = target.SenderText == context.Event.SenderText;
            Phrase hand = isOwn ? "their hand"u8 : $"the hand of {SafeText.UserId(target.SenderText)}";
            return context.Write($"*** {context.Sender} lowered {hand} in the call{SafeText.QuotedSuffix(reason)}");
        }

        var removed = target is { CanonicalType: "m.reaction", StateKey: null }
            ? DescribeReaction(context, target)
            : Reference.WithoutExcerpt(context, target);
        return context.Write($"*** {context.Sender} removed {removed}{SafeText.QuotedSuffix(reason)}");
    }

    /// <summary><c>the reaction "👍" of @bob:example.org 19:20:11 to @alice:example.org 19:20:10 "hello"</c></summary>
    private static Phrase DescribeReaction(RenderContext context, RoomEvent reaction)
    {
        var key = reaction.Content["m.relates_to"u8]["key"u8].AsText();
        var target = reaction.Content["m.relates_to"u8]["event_id"u8].AsText();
        if (target is not { Length: > 0 } id || key is not { Length: > 0 } shown)
        {
            return Reference.WithoutExcerpt(context, reaction);
        }

        var emoji = IsWords(shown) ? Phrase.None : $" {SafeText.Excerpt(shown)}";
        var sender = SafeText.UserId(reaction.SenderText);
        return $"the reaction{emoji} of {sender} {context.FormatTime(reaction)} to {Reference.To(context, id)}";
    }

    /// <summary>A reaction may be any text, and removed words are not repeated.</summary>
    private static bool IsWords(Utf8Text key)
    {
        var digits = 0;
        foreach (var rune in key.ToString().EnumerateRunes())
        {
            digits += Rune.IsDigit(rune) ? 1 : 0;
            if (Rune.IsLetter(rune) || digits > 1)
            {
                return true;
            }
        }

        return false;
    }
}
