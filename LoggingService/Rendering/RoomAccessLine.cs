namespace LoggingService.Rendering;

/// <summary>
/// The lines of who may join and read a room. (Client-Server API, <c>m.room.join_rules</c>, <c>m.room.history_visibility</c>,
/// <c>m.room.guest_access</c>, <c>m.room.third_party_invite</c>.)
/// </summary>
internal static class RoomAccessLine
{
    public static string? JoinRules(RenderContext context) => RenderChange(context, "who may join", DescribeJoinRule);

    public static string? HistoryVisibility(RenderContext context) => RenderChange(context, "who may read", DescribeVisibility);

    public static string? GuestAccess(RenderContext context) => context.Sentence(static (content, types) =>
        types.NonEmpty(content["guest_access"u8]) switch
        {
            null => null,
            "can_join" => "allowed guests to join",
            "forbidden" => "forbade guests to join",
            var access => $"set what guests may do to {SafeText.Quoted(access)}",
        });

    /// <summary>The invited user is known only by an address; empty content revokes the invitation.</summary>
    public static string? ThirdPartyInvite(RenderContext context) => context.Sentence((content, types) =>
    {
        if (!context.HasEmptyContent)
        {
            return ReadName(content, types) is { } name ? $"invited {SafeText.Quoted(name)} by e-mail or telephone number" : null;
        }

        return TypeCheck.Read(context.PreviousContent(), ReadName) is { } previous
            ? $"withdrew the invitation of {SafeText.Quoted(previous)}"
            : "withdrew an invitation by e-mail or telephone number";

        static string? ReadName(RawJson content, TypeCheck types) => types.NonEmpty(content["display_name"u8]);
    });

    private static string? RenderChange(RenderContext context, string setting, Func<RawJson, TypeCheck, string?> describe) =>
        context.ChangeSentence(describe, (current, previous) =>
            previous is null ? $"set {setting}: {current}"
            : previous == current ? $"set {setting} again (nothing changed): {current}"
            : $"changed {setting}: {previous} → {current}");

    private static string? DescribeJoinRule(RawJson content, TypeCheck types)
    {
        var rule = types.NonEmpty(content["join_rule"u8]);
        var allowed = rule is "restricted" or "knock_restricted" ? DescribeAllowed(content["allow"u8], types) : "";
        return rule switch
        {
            null => null,
            "public" => "anyone",
            "invite" or "restricted" => allowed.Length == 0 ? "only invited people" : $"invited people{allowed}",
            "knock" or "knock_restricted" => $"invited people{allowed} (others may knock)",

            // Reserved: the authorization rules allow no join by it.
            "private" => "nobody",
            _ => $"by the rule {SafeText.Quoted(rule)}",
        };
    }

    /// <summary>The conditions of a restricted room. (Client-Server API, "Restricted rooms".)</summary>
    private static string DescribeAllowed(RawJson allow, TypeCheck types)
    {
        // Conditions of other types may contain anything, so no other key of these is read.
        var conditions = types.Items(allow).ConvertAll(types.Object);
        var memberships = conditions.FindAll(static condition => condition["type"u8].AsString() == "m.room_membership");
        var rooms = memberships.ConvertAll(condition => types.NonEmpty(condition["room_id"u8])).OfType<string>().ToList();
        var rules = conditions.ConvertAll(condition => types.NonEmpty(condition["type"u8])).OfType<string>().ToList();
        rules.RemoveAll(static type => type == "m.room_membership");
        var members = rooms.Count == 0 ? "" : $" and members of {Prose.List(rooms.Select(SafeText.RoomId))}";
        var others = rules.Select(static type => $"the rule {SafeText.Quoted(type)}");
        return rules.Count == 0 ? members : $"{members} and others by {Prose.List(others)}";
    }

    private static string? DescribeVisibility(RawJson content, TypeCheck types) => types.NonEmpty(content["history_visibility"u8]) switch
    {
        null => null,
        "world_readable" => "anyone",
        "shared" => "members",
        "invited" => "members (from their invitation on)",
        "joined" => "members (from their joining on)",
        var visibility => $"by the rule {SafeText.Quoted(visibility)}",
    };
}
