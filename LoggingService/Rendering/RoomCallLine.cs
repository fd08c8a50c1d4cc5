using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The lines of a group call. (MatrixRTC: MSC3401, MSC4143; MSC4075 for notifications, MSC4310 for declining.)</summary>
internal static class RoomCallLine
{
    /// <summary><c>*** @bob:example.org joined the call</c></summary>
    public static bool Member(RenderContext context)
    {
        var isState = context.Event.StateKey is not null;
        return (!isState || context.IsOwnState) && context.Sentence((content, types) =>
        {
            var reason = types.NonEmpty(content["leave_reason"u8]) ?? types.NonEmpty(content["disconnect_reason"u8]);
            var isIn = IsParticipating(content, types);
            if (!isState && StickyKey(context.Event) is { } key && FindCurrent(context, key) is { } earlier)
            {
                var wasIn = IsParticipating(earlier.Content, new TypeCheck());
                return (wasIn, isIn) switch
                {
                    (true, true) => "is still in the call"u8,
                    (false, false) => "left the call again (nothing changed)"u8,
                    (_, true) => "joined the call"u8,
                    (_, false) => $"left the call{SafeText.QuotedSuffix(reason)}",
                    _ => Phrase.None,
                };
            }

            return isIn switch
            {
                null => Phrase.None,
                false => $"left the call{SafeText.QuotedSuffix(reason)}",

                // Repeated during the call, or the previous membership has expired: "is in" holds for both.
                true when isState && IsParticipating(context.PreviousContent(), new TypeCheck()) == true => "is in the call"u8,
                true => "joined the call"u8,
            };
        });
    }

    /// <summary>The line of <c>m.call</c>, the older announcement of a group call.</summary>
    public static bool Call(RenderContext context) => context.Sentence(static (content, types) =>
    {
        var name = types.NonEmpty(content["m.name"u8]);
        var kind = types.String(content["m.type"u8])?.ToString() switch
        {
            "m.voice" => "voice call"u8,
            "m.video" => "video call"u8,
            _ => "call"u8,
        };
        var hasEnded = content["m.terminated"u8].Kind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False);
        return $"{(hasEnded ? "ended"u8 : "opened"u8)} a {kind} for the room{SafeText.QuotedSuffix(name)}";
    });

    /// <summary>The line of <c>m.rtc.slot</c>: whether calls are allowed.</summary>
    public static bool Slot(RenderContext context) => context.Sentence(static (content, types) =>
        types.Object(content["application"u8]).Bytes.IsEmpty ? "closed the room to calls"u8 : "opened the room to calls"u8);

    public static bool Notification(RenderContext context) => context.Sentence(static (content, types) =>
        (types.String(content["notification_type"u8]) ?? types.String(content["notify_type"u8]))?.ToString() switch
        {
            "ring" => "rang the room"u8,
            "notification" or "notify" => "told the room about a call"u8,
            _ => Phrase.None,
        });

    public static bool Decline(RenderContext context) => context.Sentence(static (content, types) =>
    {
        _ = types.Object(content["m.relates_to"u8]);
        return "declined the call"u8;
    });

    /// <summary><c>*** @bob:example.org reacted "🎉" in the call</c> (Element Call).</summary>
    public static bool Reaction(RenderContext context) => context.Sentence(static (content, types) =>
    {
        _ = types.Object(content["m.relates_to"u8]);
        return types.NonEmpty(content["emoji"u8]) is { } emoji ? $"reacted {SafeText.Excerpt(emoji)} in the call" : Phrase.None;
    });

    /// <summary>Never by the fallback, which would log the keys.</summary>
    public static bool EncryptionKeys(RenderContext context) =>
        context.Write($"*** {context.Sender} sent their encryption keys for the call");

    /// <summary>A reaction to a membership of a call that raises the sender's hand; its removal lowers it (Element Call).</summary>
    public static bool IsRaisedHand(RenderContext context, RoomEvent e)
    {
        var relatesTo = e.Content["m.relates_to"u8];
        return e is { CanonicalType: "m.reaction", StateKey: null }
            && relatesTo["key"u8].AsText() is { } key
            && IsHand(key)
            && relatesTo["event_id"u8].AsText() is { } id
            && context.FindEvent(id) is { } member
            && EventKind.IsCallMember(member);
    }

    /// <summary>A raised hand of any color.</summary>
    public static bool IsHand(Utf8Text key) => key.StartsWith("🖐"u8) || key.StartsWith("✋"u8);

    /// <summary>The key by which a later sticky event replaces this one; <c>null</c> if it has none. (MSC4354.)</summary>
    public static string? StickyKey(RoomEvent e)
    {
        if (e.CanonicalType != "m.rtc.member")
        {
            return null;
        }

        var content = e.Content;
        return content["sticky_key"u8].AsString() ?? content["msc4354_sticky_key"u8].AsString();
    }

    /// <summary>The newest earlier event of a sticky key, unless it has expired or was removed.</summary>
    private static RoomEvent? FindCurrent(RenderContext context, string key)
    {
        if (context.History.FindSticky(context.Event, key) is not { } earlier || Reference.IsRemoved(context, earlier))
        {
            return null;
        }

        var sticky = TypeCheck.StableOrUnstable(earlier.Json["sticky"u8], earlier.Json["msc4354_sticky"u8]);
        var expires = earlier.OriginServerTs + sticky["duration_ms"u8].AsInteger();
        return expires < context.Event.OriginServerTs ? null : earlier;
    }

    /// <summary>A list of memberships that isn't empty, or an <c>application</c>; <c>null</c> if it can't be decided.</summary>
    private static bool? IsParticipating(RawJson content, TypeCheck types)
    {
        var memberships = content["memberships"u8];
        if (TypeCheck.IsPresent(memberships))
        {
            return types.Items(memberships).ConvertAll(types.Object).Count > 0;
        }

        // A string in the first version, an object in the next.
        return content["application"u8].Kind switch
        {
            JsonValueKind.String or JsonValueKind.Object => true,
            JsonValueKind.Undefined or JsonValueKind.Null when HasLeft(content) => false,
            _ => null,
        };
    }

    private static bool HasLeft(RawJson content) =>
        content.IsEmptyObject
        || TypeCheck.IsPresent(content["leave_reason"u8])
        || TypeCheck.IsPresent(content["disconnect_reason"u8])
        || TypeCheck.IsPresent(content["sticky_key"u8])
        || TypeCheck.IsPresent(content["msc4354_sticky_key"u8]);
}
