namespace LoggingService.Rendering;

/// <summary>The lines of moderation policies. (Client-Server API, "Moderation policy lists", "Policy servers".)</summary>
internal static class PolicyLine
{
    /// <param name="IsHash">The entity is the hash of one, so that the rule doesn't name what it is about. (MSC4205.)</param>
    private sealed record PolicyRule(Utf8Text Entity, bool IsHash, Utf8Text Recommendation, Utf8Text? Reason);

    /// <summary>The line of <c>m.policy.rule.*</c> about a user, room or server; empty content revokes the rule.</summary>
    public static bool Rule(RenderContext context)
    {
        if (context.HasEmptyContent)
        {
            var revoked = TypeCheck.Read(context.PreviousContent(), Read);
            var rule = revoked is null ? SafeText.Quoted(context.StateKey) : Describe(context, revoked);
            return context.Write($"*** {context.Sender} removed the rule {rule}");
        }

        return context.ChangeSentence(Read, (current, previous) =>
        {
            var rule = Describe(context, current);
            var previousRule = previous is null ? null : Describe(context, previous);
            Phrase sentence = previousRule switch
            {
                null => $"set the rule {rule}",
                _ when previous == current => $"set the rule {rule} again (nothing changed)",
                _ when !previousRule.Equals(rule) => $"changed the rule {previousRule} into one {rule}",
                _ => $"changed the reason of the rule {rule}",
            };
            return $"{sentence}{SafeText.QuotedSuffix(current.Reason)}";
        });
    }

    /// <summary>The line of <c>m.room.policy</c>; without <c>via</c> the server is removed.</summary>
    public static bool Server(RenderContext context) => context.Sentence(static (content, types) =>
        types.NonEmpty(content["via"u8]) is { } server
            ? $"set the policy server to {SafeText.ServerName(server)}"
            : "removed the policy server"u8);

    private static PolicyRule? Read(RawJson content, TypeCheck types)
    {
        var entity = types.NonEmpty(content["entity"u8]);
        var recommendation = types.NonEmpty(content["recommendation"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        var hashes = types.Object(TypeCheck.StableOrUnstable(content["hashes"u8], content["org.matrix.msc4205.hashes"u8]));
        var target = entity ?? types.NonEmpty(hashes["sha256"u8]);
        return target is null || recommendation is null ? null : new(target.Value, entity is null, recommendation.Value, reason);
    }

    private static Phrase Describe(RenderContext context, PolicyRule rule)
    {
        var kind = context.Event.CanonicalType switch
        {
            "m.policy.rule.user" => "user"u8,
            "m.policy.rule.room" => "room"u8,
            _ => "server"u8,
        };
        Phrase action = rule.Recommendation.ToString() is "m.ban" or "org.matrix.mjolnir.ban"
            ? "to ban"u8
            : $"of {SafeText.Quoted(rule.Recommendation)} for";
        return $"{action} the {kind} {(rule.IsHash ? "with the SHA-256 hash "u8 : ""u8)}{SafeText.Quoted(rule.Entity)}";
    }
}
