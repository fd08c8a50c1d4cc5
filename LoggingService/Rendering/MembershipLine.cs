namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.member</c>. (Client-Server API, <c>m.room.member</c>, for the table of transitions.)</summary>
internal static class MembershipLine
{
    /// <summary>False also for a transition that the authorization rules don't allow.</summary>
    public static bool Render(RenderContext context)
    {
        var e = context.Event;
        var types = new TypeCheck();
        var membership = types.String(e.Content["membership"u8])?.ToString();
        var reason = types.NonEmpty(e.Content["reason"u8]);
        var name = types.NonEmpty(e.Content["displayname"u8]);
        var avatar = types.NonEmpty(e.Content["avatar_url"u8]);
        var authorisedBy = types.NonEmpty(e.Content["join_authorised_via_users_server"u8]);
        var redactsMessages = types.Boolean(
            TypeCheck.StableOrUnstable(e.Content["redact_events"u8], e.Content["org.matrix.msc4293.redact_events"u8])) ?? false;
        var invitedAs = types.NonEmpty(types.Object(e.Content["third_party_invite"u8])["display_name"u8]);
        var userId = context.StateKey;
        var senderId = e.SenderText ?? default;
        if (types.Failed || userId.Length == 0 || senderId.Length == 0)
        {
            return false;
        }

        var user = SafeText.UserId(userId);
        var sender = context.Sender;
        var previous = context.PreviousContent();
        var previousMembership = previous["membership"u8].AsString();
        var asAddress = invitedAs is { } address ? $" as {SafeText.Quoted(address)}" : Phrase.None;
        Phrase by = $"by {sender}{(redactsMessages ? ", who removed their messages too"u8 : ""u8)}";
        var letInBy = authorisedBy is null ? Phrase.None : $", let in by {SafeText.UserId(authorisedBy)}";

        // If the previous membership is unknown, the sentence must hold for all that are possible.
        Phrase? sentence = (previousMembership, membership, senderId == userId) switch
        {
            ("join", "join", true) when ErasedEvent.IsStub(e) => $"{user} changed their name or avatar, erased",
            ("join", "join", true) when context.ArrivedRedacted => $"{user} changed their name or avatar, removed before it was logged",
            ("join", "join", true) => $"{user} {DescribeProfileChange(previous, name, avatar)}",
            (_, "join", true) => $"{user} joined{DescribeName(name, userId)}{letInBy}",

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
            _ => Phrase.None,
        };

        // A redaction keeps nothing of a profile change, which the sentence itself reports.
        var suffix = previousMembership == "join" && membership == "join" ? ""u8 : context.RedactedSuffix;
        return sentence is not null && context.Write($"*** {sentence}{suffix}{SafeText.QuotedSuffix(reason)}");
    }

    /// <summary>Empty for a display name that only repeats the localpart of the user id.</summary>
    private static Phrase? DescribeName(Utf8Text? name, Utf8Text userId)
    {
        var colon = userId.Span.IndexOf((byte)':');
        return name is not { } shown || (colon > 0 && userId[1..colon] == shown) ? Phrase.None : $" as {SafeText.Quoted(shown)}";
    }

    private static Phrase DescribeProfileChange(RawJson previous, Utf8Text? name, Utf8Text? avatar)
    {
        var types = new TypeCheck();
        var nameChange = Prose.Change("their name"u8, types.NonEmpty(previous["displayname"u8]), name, SafeText.Quoted);
        var previousAvatar = types.NonEmpty(previous["avatar_url"u8]);
        Phrase? avatarChange = (previousAvatar, avatar) switch
        {
            _ when previousAvatar == avatar => Phrase.None,
            (null, not null) => "set their avatar"u8,
            (not null, null) => "removed their avatar"u8,
            _ => "changed their avatar"u8,
        };
        return Prose.Join([nameChange, avatarChange]) ?? "joined again (same name and avatar)"u8;
    }
}
