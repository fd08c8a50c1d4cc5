using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of who may join a room and who may read it. (Client-Server API, <c>m.room.join_rules</c>, <c>m.room.history_visibility</c>, <c>m.room.guest_access</c>, <c>m.room.third_party_invite</c>.)</summary>
internal static class RoomAccessLine
{
    /// <summary>The line of <c>m.room.join_rules</c>; <c>null</c> where content has a wrong type or no rule.</summary>
    public static string? JoinRules(RenderContext context) => Change(context, "who may join", MayJoin);

    /// <summary>The line of <c>m.room.history_visibility</c>; <c>null</c> where content has a wrong type or says nothing.</summary>
    public static string? HistoryVisibility(RenderContext context) => Change(context, "who may read", MayRead);

    /// <summary>The line of <c>m.room.guest_access</c>; <c>null</c> where content has a wrong type or says nothing.</summary>
    public static string? GuestAccess(RenderContext context)
    {
        var access = TypeCheck.Read(context.Event.Content, static (content, types) => types.NonEmpty(content["guest_access"u8]));
        var sentence = access switch
        {
            null => null,
            "can_join" => "allowed guests to join",
            "forbidden" => "forbade guests to join",
            _ => $"set what guests may do to {SafeText.Quoted(access)}",
        };
        return sentence is null ? null : $"*** {context.Sender} {sentence}";
    }

    /// <summary>The line of <c>m.room.third_party_invite</c>, for somebody who is known only by an address; empty content withdraws it. <c>null</c> where content has a wrong type or names nobody.</summary>
    public static string? ThirdPartyInvite(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, DisplayName) is { } name)
        {
            return $"*** {context.Sender} invited {SafeText.Quoted(name)} by e-mail or telephone number";
        }

        if (!context.HasEmptyContent)
        {
            return null;
        }

        return TypeCheck.Read(context.PreviousContent(), DisplayName) is { } invited
            ? $"*** {context.Sender} withdrew the invitation of {SafeText.Quoted(invited)}"
            : $"*** {context.Sender} withdrew an invitation by e-mail or telephone number";

        static string? DisplayName(RawJson content, TypeCheck types) => types.NonEmpty(content["display_name"u8]);
    }

    private static string? Change(RenderContext context, string what, Func<RawJson, TypeCheck, string?> read)
    {
        if (TypeCheck.Read(context.Event.Content, read) is not { } now)
        {
            return null;
        }

        var before = TypeCheck.Read(context.PreviousContent(), read);
        var sentence = before is null ? $"set {what}: {now}"
            : before == now ? $"set {what} again (nothing changed): {now}"
            : $"changed {what}: {before} → {now}";
        return $"*** {context.Sender} {sentence}{context.RedactedSuffix}";
    }

    private static string? MayJoin(RawJson content, TypeCheck types)
    {
        var rule = types.NonEmpty(content["join_rule"u8]);
        var allowed = rule is "restricted" or "knock_restricted" ? Allowed(content["allow"u8], types) : "";
        return rule switch
        {
            null => null,
            "public" => "anyone",
            "invite" or "restricted" => allowed.Length == 0 ? "only invited people" : $"invited people{allowed}",
            "knock" or "knock_restricted" => $"invited people{allowed} (others may knock)",

            // Reserved: the authorization rules let nobody in by it.
            "private" => "nobody",
            _ => $"by the rule {SafeText.Quoted(rule)}",
        };
    }

    /// <summary>Whom a restricted room lets in besides. (Client-Server API, "Restricted rooms".)</summary>
    private static string Allowed(RawJson allow, TypeCheck types)
    {
        var rooms = new List<string>();
        var others = new List<string>();
        foreach (var condition in types.Items(allow))
        {
            // Whatever is no such condition must be left unread: it may come with anything.
            if (types.String(types.Object(condition)["type"u8]) is not ("m.room_membership" and var type))
            {
                if (types.NonEmpty(types.Object(condition)["type"u8]) is { } other)
                {
                    others.Add($"the rule {SafeText.Quoted(other)}");
                }

                continue;
            }

            if (types.NonEmpty(condition["room_id"u8]) is { } room)
            {
                rooms.Add(SafeText.RoomId(room));
            }
        }

        return $"{(rooms.Count == 0 ? "" : $" and members of {Prose.List(rooms)}")}{(others.Count == 0 ? "" : $" and others by {Prose.List(others)}")}";
    }

    private static string? MayRead(RawJson content, TypeCheck types) => types.NonEmpty(content["history_visibility"u8]) switch
    {
        null => null,
        "world_readable" => "anyone",
        "shared" => "members",
        "invited" => "members (from their invitation on)",
        "joined" => "members (from their joining on)",
        var other => $"by the rule {SafeText.Quoted(other)}",
    };
}
