namespace LoggingService.Rendering;

/// <summary>
/// The lines of who may join and read a room. (Client-Server API, <c>m.room.join_rules</c>, <c>m.room.history_visibility</c>,
/// <c>m.room.guest_access</c>, <c>m.room.third_party_invite</c>.)
/// </summary>
internal static class RoomAccessLine
{
    public static bool JoinRules(RenderContext context) => RenderChange(context, "who may join"u8, DescribeJoinRule);

    public static bool HistoryVisibility(RenderContext context) => RenderChange(context, "who may read"u8, DescribeVisibility);

    public static bool GuestAccess(RenderContext context) => context.Sentence(static (content, types) =>
        types.NonEmpty(content["guest_access"u8])?.ToString() switch
        {
            null => Phrase.None,
            "can_join" => "allowed guests to join"u8,
            "forbidden" => "forbade guests to join"u8,
            var access => $"set what guests may do to {SafeText.Quoted(Utf8Text.From(access))}",
        });

    /// <summary>The invited user is known only by an address; empty content revokes the invitation.</summary>
    public static bool ThirdPartyInvite(RenderContext context) => context.Sentence((content, types) =>
    {
        if (!context.HasEmptyContent)
        {
            return ReadName(content, types) is { } name ? $"invited {name} by e-mail or telephone number" : Phrase.None;
        }

        return TypeCheck.Read(context.PreviousContent(), ReadName) is { } previous
            ? $"withdrew the invitation of {previous}"
            : "withdrew an invitation by e-mail or telephone number"u8;

        static Phrase? ReadName(RawJson content, TypeCheck types) =>
            types.NonEmpty(content["display_name"u8]) is { } name ? SafeText.Quoted(name) : Phrase.None;
    });

    private static bool RenderChange(RenderContext context, Phrase setting, Func<RawJson, TypeCheck, Phrase?> describe) =>
        context.ChangeSentence(describe, (current, previous) => previous switch
        {
            null => $"set {setting}: {current}",
            _ when previous.Equals(current) => $"set {setting} again (nothing changed): {current}",
            _ => $"changed {setting}: {previous} → {current}",
        });

    private static Phrase? DescribeJoinRule(RawJson content, TypeCheck types)
    {
        var rule = types.NonEmpty(content["join_rule"u8])?.ToString();
        var allowed = rule is "restricted" or "knock_restricted" ? DescribeAllowed(content["allow"u8], types) : null;
        return rule switch
        {
            null => Phrase.None,
            "public" => "anyone"u8,
            "invite" or "restricted" => allowed is null ? "only invited people"u8 : $"invited people{allowed}",
            "knock" or "knock_restricted" => $"invited people{allowed} (others may knock)",

            // Reserved: the authorization rules allow no join by it.
            "private" => "nobody"u8,
            _ => $"by the rule {SafeText.Quoted(Utf8Text.From(rule))}",
        };
    }

    /// <summary>The conditions of a restricted room. (Client-Server API, "Restricted rooms".)</summary>
    private static Phrase? DescribeAllowed(RawJson allow, TypeCheck types)
    {
        // Conditions of other types may contain anything, so no other key of these is read.
        var conditions = types.Items(allow).ConvertAll(types.Object);
        var memberships = conditions.FindAll(static condition => condition["type"u8].IsString("m.room_membership"u8));
        var rooms = memberships.ConvertAll(condition => types.NonEmpty(condition["room_id"u8])).OfType<Utf8Text>().ToList();
        var rules = conditions.ConvertAll(condition => types.NonEmpty(condition["type"u8])).OfType<Utf8Text>().ToList();
        rules.RemoveAll(static type => type.Span.SequenceEqual("m.room_membership"u8));
        var members = rooms.Count == 0 ? Phrase.None : $" and members of {Prose.List(rooms, SafeText.RoomId)}";
        var others = rules.Select(static type => (Phrase)$"the rule {SafeText.Quoted(type)}");
        return rules.Count == 0 ? members : $"{members} and others by {Prose.List(others)}";
    }

    private static Phrase? DescribeVisibility(RawJson content, TypeCheck types) =>
        types.NonEmpty(content["history_visibility"u8])?.ToString() switch
        {
            null => Phrase.None,
            "world_readable" => "anyone"u8,
            "shared" => "members"u8,
            "invited" => "members (from their invitation on)"u8,
            "joined" => "members (from their joining on)"u8,
            var visibility => $"by the rule {SafeText.Quoted(Utf8Text.From(visibility))}",
        };
}
