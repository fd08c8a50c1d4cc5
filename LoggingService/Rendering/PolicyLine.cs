namespace LoggingService.Rendering;

/// <summary>The lines of moderation policies. (Client-Server API, "Moderation policy lists", "Policy servers".)</summary>
internal static class PolicyLine
{
    private sealed record PolicyRule(string Entity, string Recommendation, string? Reason);

    /// <summary>The line of <c>m.policy.rule.*</c> about a <paramref name="kind"/> of entity; empty content revokes the rule.</summary>
    public static string? Rule(RenderContext context, string kind)
    {
        if (context.HasEmptyContent)
        {
            var revoked = TypeCheck.Read(context.PreviousContent(), Read);
            var rule = revoked is null ? SafeText.Quoted(context.Event.StateKey!) : Describe(revoked, kind);
            return $"*** {context.Sender} removed the rule {rule}";
        }

        return context.ChangeSentence(Read, (current, previous) =>
        {
            var rule = Describe(current, kind);
            var previousRule = previous is null ? null : Describe(previous, kind);
            var sentence = previousRule is null ? $"set the rule {rule}"
                : previous == current ? $"set the rule {rule} again (nothing changed)"
                : previousRule != rule ? $"changed the rule {previousRule} into one {rule}"
                : $"changed the reason of the rule {rule}";
            return sentence + SafeText.QuotedSuffix(current.Reason);
        });
    }

    /// <summary>The line of <c>m.room.policy</c>; without <c>via</c> the server is removed.</summary>
    public static string? Server(RenderContext context) => context.Sentence(static (content, types) =>
        types.NonEmpty(content["via"u8]) is { } server
            ? $"set the policy server to {SafeText.ServerName(server)}"
            : "removed the policy server");

    private static PolicyRule? Read(RawJson content, TypeCheck types)
    {
        var entity = types.NonEmpty(content["entity"u8]);
        var recommendation = types.NonEmpty(content["recommendation"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        return entity is null || recommendation is null ? null : new(entity, recommendation, reason);
    }

    private static string Describe(PolicyRule rule, string kind)
    {
        var isBan = rule.Recommendation is "m.ban" or "org.matrix.mjolnir.ban";
        return $"{(isBan ? "to ban" : $"of {SafeText.Quoted(rule.Recommendation)} for")} the {kind} {SafeText.Quoted(rule.Entity)}";
    }
}
