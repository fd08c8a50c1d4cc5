using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.member</c>: what happened between the earlier membership and this one. (Client-Server API, <c>m.room.member</c>, the table of transitions.)</summary>
internal static class MembershipLine
{
    /// <summary>The line; <c>null</c> where content has a wrong type, or where the transition is none that the authorization rules allow.</summary>
    public static string? Render(RenderContext context)
    {
        var e = context.Event;
        var types = new TypeCheck();
        var membership = types.String(e.Content["membership"u8]);
        var reason = types.NonEmpty(e.Content["reason"u8]);
        var name = types.NonEmpty(e.Content["displayname"u8]);
        var avatar = types.NonEmpty(e.Content["avatar_url"u8]);
        var letInBy = types.NonEmpty(e.Content["join_authorised_via_users_server"u8]);
        var removesMessages = types.Boolean(e.Content["org.matrix.msc4293.redact_events"u8]) ?? false;
        var invitedAs = types.NonEmpty(types.Object(e.Content["third_party_invite"u8])["display_name"u8]);
        if (types.Failed || string.IsNullOrEmpty(e.StateKey) || string.IsNullOrEmpty(e.Sender))
        {
            return null;
        }

        var who = SafeText.UserId(e.StateKey);
        var previous = context.PreviousContent();

        var asAddress = invitedAs is null ? "" : $" as {SafeText.Quoted(invitedAs)}";
        var by = $"by {context.Sender}{(removesMessages ? ", who removed their messages too" : "")}";

        // Where nothing is known of the time before, the word must be true of all that it may have been.
        var sentence = (previous["membership"u8].AsString(), membership, e.Sender == e.StateKey) switch
        {
            ("join", "join", true) when context.ArrivedRedacted => $"{who} changed their name or avatar, removed before it was logged",
            ("join", "join", true) => $"{who} {Change(previous, name, avatar)}",
            (_, "join", true) => $"{who} joined{As(name, e.StateKey)}{(letInBy is null ? "" : $", let in by {SafeText.UserId(letInBy)}")}",

            ("invite", "leave", true) => $"{who} rejected the invitation",
            ("knock", "leave", true) => $"{who} withdrew their knock",
            ("leave", "leave", true) => $"{who} left again (nothing changed)",
            (_, "leave", true) => $"{who} left",

            ("invite", "leave", false) => $"{context.Sender} withdrew the invitation of {who}",
            ("knock", "leave", false) => $"{context.Sender} denied the knock of {who}",
            ("ban", "leave", false) => $"{who} was unbanned by {context.Sender}",
            ("join", "leave", false) => $"{who} was kicked {by}",
            ("leave", "leave", false) => $"{who} was removed again by {context.Sender} (nothing changed)",
            (_, "leave", false) => $"{who} was removed {by}",

            ("knock", "invite", false) => $"{context.Sender} accepted the knock of {who}",
            ("invite", "invite", false) => $"{who} was invited again by {context.Sender}{asAddress}",
            (_, "invite", false) => $"{who} was invited by {context.Sender}{asAddress}",

            ("join", "ban", false) => $"{who} was kicked and banned {by}",
            ("ban", "ban", false) => $"{who} was banned again {by}",
            (_, "ban", false) => $"{who} was banned {by}",

            ("knock", "knock", true) => $"{who} knocked again",
            (_, "knock", true) => $"{who} knocked",
            _ => null,
        };

        // Of a change of profile nothing is left: it has said so.
        var rest = previous["membership"u8].AsString() == "join" && membership == "join" ? "" : context.RedactedSuffix;
        return sentence is null ? null : $"*** {sentence}{rest}{(reason is null ? "" : $": {SafeText.Quoted(reason)}")}";
    }

    /// <summary>A display name that is only the user id's localpart says nothing that the line doesn't.</summary>
    private static string As(string? name, string userId)
    {
        var colon = userId.IndexOf(':', StringComparison.Ordinal);
        var isLocalpart = name is not null && colon > 0 && userId.AsSpan(1, colon - 1).SequenceEqual(name);
        return name is null || isLocalpart ? "" : $" as {SafeText.Quoted(name)}";
    }

    private static string Change(RawJson previous, string? name, string? avatar)
    {
        var earlierName = previous["displayname"u8].AsString() is { Length: > 0 } text ? text : null;
        var earlierAvatar = previous["avatar_url"u8].AsString() is { Length: > 0 } url ? url : null;
        var nameChange = (earlierName, name) switch
        {
            _ when earlierName == name => null,
            (null, not null) => $"set their name to {SafeText.Quoted(name)}",
            (not null, null) => $"removed their name {SafeText.Quoted(earlierName)}",
            _ => $"changed their name from {SafeText.Quoted(earlierName!)} to {SafeText.Quoted(name!)}",
        };
        var avatarChange = (earlierAvatar, avatar) switch
        {
            _ when earlierAvatar == avatar => null,
            (null, not null) => "set their avatar",
            (not null, null) => "removed their avatar",
            _ => "changed their avatar",
        };
        return (nameChange, avatarChange) switch
        {
            (null, null) => "joined again (same name and avatar)",
            (not null, not null) => $"{nameChange} and {avatarChange}",
            _ => nameChange ?? avatarChange!,
        };
    }
}
