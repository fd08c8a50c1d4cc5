namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.member</c>. (Client-Server API, <c>m.room.member</c>, for the table of transitions.)</summary>
internal static class MembershipLine
{
    /// <summary><c>null</c> also for a transition that the authorization rules don't allow.</summary>
    public static string? Render(RenderContext context)
    {
        var e = context.Event;
        var types = new TypeCheck();
        var membership = types.String(e.Content["membership"u8]);
        var reason = types.NonEmpty(e.Content["reason"u8]);
        var name = types.NonEmpty(e.Content["displayname"u8]);
        var avatar = types.NonEmpty(e.Content["avatar_url"u8]);
        var authorisedBy = types.NonEmpty(e.Content["join_authorised_via_users_server"u8]);
        var redactsMessages = types.Boolean(e.Content["org.matrix.msc4293.redact_events"u8]) ?? false;
        var invitedAs = types.NonEmpty(types.Object(e.Content["third_party_invite"u8])["display_name"u8]);
        if (types.Failed || string.IsNullOrEmpty(e.StateKey) || string.IsNullOrEmpty(e.Sender))
        {
            return null;
        }

        var user = SafeText.UserId(e.StateKey);
        var sender = context.Sender;
        var previous = context.PreviousContent();
        var previousMembership = previous["membership"u8].AsString();
        var asAddress = invitedAs is null ? "" : $" as {SafeText.Quoted(invitedAs)}";
        var by = $"by {sender}{(redactsMessages ? ", who removed their messages too" : "")}";
        var letInBy = authorisedBy is null ? "" : $", let in by {SafeText.UserId(authorisedBy)}";

        // If the previous membership is unknown, the sentence must hold for all that are possible.
        var sentence = (previousMembership, membership, e.Sender == e.StateKey) switch
        {
            ("join", "join", true) when context.ArrivedRedacted => $"{user} changed their name or avatar, removed before it was logged",
            ("join", "join", true) => $"{user} {DescribeProfileChange(previous, name, avatar)}",
            (_, "join", true) => $"{user} joined{DescribeName(name, e.StateKey)}{letInBy}",

            ("invite", "leave", true) => $"{user} rejected the invitation",
            ("knock", "leave", true) => $"{user} withdrew their knock",
            ("leave", "leave", true) => $"{user} left again (nothing changed)",
            (_, "leave", true) => $"{user} left",

            ("invite", "leave", false) => $"{sender} withdrew the invitation of {user}",
            ("knock", "leave", false) => $"{sender} denied the knock of {user}",
            ("ban", "leave", false) => $"{user} was unbanned by {sender}",
            ("join", "leave", false) => $"{user} was kicked {by}",
            ("leave", "leave", false) => $"{user} was removed again by {sender} (nothing changed)",
            (_, "leave", false) => $"{user} was removed {by}",

            ("knock", "invite", false) => $"{sender} accepted the knock of {user}",
            ("invite", "invite", false) => $"{user} was invited again by {sender}{asAddress}",
            (_, "invite", false) => $"{user} was invited by {sender}{asAddress}",

            ("join", "ban", false) => $"{user} was kicked and banned {by}",
            ("ban", "ban", false) => $"{user} was banned again {by}",
            (_, "ban", false) => $"{user} was banned {by}",

            ("knock", "knock", true) => $"{user} knocked again",
            (_, "knock", true) => $"{user} knocked",
            _ => null,
        };

        // A redaction keeps nothing of a profile change, which the sentence itself reports.
        var suffix = previousMembership == "join" && membership == "join" ? "" : context.RedactedSuffix;
        return sentence is null ? null : $"*** {sentence}{suffix}{SafeText.QuotedSuffix(reason)}";
    }

    /// <summary>Empty for a display name that only repeats the localpart of the user id.</summary>
    private static string DescribeName(string? name, string userId)
    {
        var colon = userId.IndexOf(':', StringComparison.Ordinal);
        var isLocalpart = name is not null && colon > 0 && userId.AsSpan(1, colon - 1).SequenceEqual(name);
        return name is null || isLocalpart ? "" : $" as {SafeText.Quoted(name)}";
    }

    private static string DescribeProfileChange(RawJson previous, string? name, string? avatar)
    {
        var types = new TypeCheck();
        var nameChange = Prose.Change("their name", types.NonEmpty(previous["displayname"u8]), name, SafeText.Quoted);
        var previousAvatar = types.NonEmpty(previous["avatar_url"u8]);
        var avatarChange = (previousAvatar, avatar) switch
        {
            _ when previousAvatar == avatar => null,
            (null, not null) => "set their avatar",
            (not null, null) => "removed their avatar",
            _ => "changed their avatar",
        };
        return Prose.Join([nameChange, avatarChange]) ?? "joined again (same name and avatar)";
    }
}
