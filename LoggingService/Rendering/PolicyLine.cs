using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of moderation policies: rules that others may follow, and the server that checks events. (Client-Server API, "Moderation policy lists", "Policy servers".)</summary>
internal static class PolicyLine
{
    private sealed record Rule(string Entity, string Recommendation, string? Reason);

    /// <summary>The line of <c>m.policy.rule.user</c>, <c>.room</c>, <c>.server</c> and their older names; empty content takes the rule back. <c>null</c> where content has a wrong type or isn't a whole rule.</summary>
    /// <param name="line">The event.</param>
    /// <param name="kind">What the rule is about.</param>
    public static string? Render(RenderContext line, string kind)
    {
        var before = TypeCheck.Read(line.PreviousContent(), Read);
        if (line.IsEmptied)
        {
            return $"*** {line.Sender} removed the rule {(before is null ? SafeText.Quoted(line.Event.StateKey!) : Words(before, kind))}";
        }

        if (TypeCheck.Read(line.Event.Content, Read) is not { } now)
        {
            return null;
        }

        var words = Words(now, kind);
        var sentence = before is null ? $"set the rule {words}"
            : before == now ? $"set the rule {words} again (nothing changed)"
            : Words(before, kind) is var earlier && earlier != words ? $"changed the rule {earlier} into one {words}"
            : $"changed the reason of the rule {words}";
        return $"*** {line.Sender} {sentence}{(now.Reason is null ? "" : $": {SafeText.Quoted(now.Reason)}")}";
    }

    /// <summary>The line of <c>m.room.policy</c>; without <c>via</c> there is no such server any more. <c>null</c> where content has a wrong type.</summary>
    public static string? Server(RenderContext line)
    {
        var types = new TypeCheck();
        var server = types.NonEmpty(types.Object(line.Event.Content)["via"u8]);
        if (types.Failed || line.Event.Content.Bytes.IsEmpty)
        {
            return null;
        }

        return server is null ? $"*** {line.Sender} removed the policy server" : $"*** {line.Sender} set the policy server to {SafeText.ServerName(server)}";
    }

    private static Rule? Read(RawJson content, TypeCheck types)
    {
        var entity = types.NonEmpty(content["entity"u8]);
        var recommendation = types.NonEmpty(content["recommendation"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        return entity is null || recommendation is null ? null : new(entity, recommendation, reason);
    }

    private static string Words(Rule rule, string kind)
    {
        var what = rule.Recommendation is "m.ban" or "org.matrix.mjolnir.ban" ? "to ban" : $"of {SafeText.Quoted(rule.Recommendation)} for";
        return $"{what} the {kind} {SafeText.Quoted(rule.Entity)}";
    }
}
