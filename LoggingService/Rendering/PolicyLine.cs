using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of moderation policies: rules that others may follow, and the server that checks events. (Client-Server API, "Moderation policy lists", "Policy servers".)</summary>
internal static class PolicyLine
{
    private sealed record Rule(string Entity, string Recommendation, string? Reason);

    /// <summary>The line of <c>m.policy.rule.user</c>, <c>.room</c>, <c>.server</c> and their older names; empty content takes the rule back. <c>null</c> where content has a wrong type or isn't a whole rule.</summary>
    /// <param name="context">The event.</param>
    /// <param name="kind">What the rule is about.</param>
    public static string? Render(RenderContext context, string kind)
    {
        var before = TypeCheck.Read(context.PreviousContent(), Read);
        if (context.HasEmptyContent)
        {
            return $"*** {context.Sender} removed the rule {(before is null ? SafeText.Quoted(context.Event.StateKey!) : Describe(before, kind))}";
        }

        if (TypeCheck.Read(context.Event.Content, Read) is not { } now)
        {
            return null;
        }

        var words = Describe(now, kind);
        var sentence = before is null ? $"set the rule {words}"
            : before == now ? $"set the rule {words} again (nothing changed)"
            : Describe(before, kind) is var earlier && earlier != words ? $"changed the rule {earlier} into one {words}"
            : $"changed the reason of the rule {words}";
        return $"*** {context.Sender} {sentence}{(now.Reason is null ? "" : $": {SafeText.Quoted(now.Reason)}")}";
    }

    /// <summary>The line of <c>m.room.policy</c>; without <c>via</c> there is no such server any more. <c>null</c> where content has a wrong type.</summary>
    public static string? Server(RenderContext context)
    {
        var types = new TypeCheck();
        var server = types.NonEmpty(types.Object(context.Event.Content)["via"u8]);
        if (types.Failed || context.Event.Content.Bytes.IsEmpty)
        {
            return null;
        }

        return server is null ? $"*** {context.Sender} removed the policy server" : $"*** {context.Sender} set the policy server to {SafeText.ServerName(server)}";
    }

    private static Rule? Read(RawJson content, TypeCheck types)
    {
        var entity = types.NonEmpty(content["entity"u8]);
        var recommendation = types.NonEmpty(content["recommendation"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        return entity is null || recommendation is null ? null : new(entity, recommendation, reason);
    }

    private static string Describe(Rule rule, string kind)
    {
        var what = rule.Recommendation is "m.ban" or "org.matrix.mjolnir.ban" ? "to ban" : $"of {SafeText.Quoted(rule.Recommendation)} for";
        return $"{what} the {kind} {SafeText.Quoted(rule.Entity)}";
    }
}
