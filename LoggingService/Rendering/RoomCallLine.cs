using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of a call that a whole room may join. (MatrixRTC: MSC3401, MSC4143; MSC4075 for ringing, MSC4310 for declining.)</summary>
internal static class RoomCallLine
{
    /// <summary><c>*** @bob:example.org joined the call</c>; <c>null</c> where content has a wrong type, says neither, or is about somebody else.</summary>
    public static string? Member(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var reason = types.NonEmpty(content["leave_reason"u8]) ?? types.NonEmpty(content["disconnect_reason"u8]);
        var isIn = IsIn(content, types);
        if (types.Failed || isIn is null || (context.Event.StateKey is not null && !context.IsOwnState))
        {
            return null;
        }

        if (isIn == false)
        {
            return $"*** {context.Sender} left the call{(reason is null ? "" : $": {SafeText.Quoted(reason)}")}";
        }

        // Said again while the call goes on; or the earlier one had run out: so the word must be true of both.
        var wasIn = context.Event.StateKey is not null && IsIn(context.PreviousContent(), new TypeCheck()) == true;
        return $"*** {context.Sender} {(wasIn ? "is in" : "joined")} the call";
    }

    /// <summary>The line of <c>m.call</c>, the older way to say that the room has a call; <c>null</c> where content has a wrong type.</summary>
    public static string? Call(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var name = types.NonEmpty(content["m.name"u8]);
        var kind = types.String(content["m.type"u8]) switch { "m.voice" => "voice call", "m.video" => "video call", _ => "call" };
        var isOver = content["m.terminated"u8].Kind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False);
        return types.Failed || content.Kind != JsonValueKind.Object
            ? null
            : $"*** {context.Sender} {(isOver ? "ended" : "opened")} a {kind} for the room{(name is null ? "" : $": {SafeText.Quoted(name)}")}";
    }

    /// <summary>The line of <c>m.rtc.slot</c>, whether a call may be held; <c>null</c> where content has a wrong type.</summary>
    public static string? Slot(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);
        var isOpen = !types.Object(content["application"u8]).Bytes.IsEmpty;
        return types.Failed || content.Bytes.IsEmpty
            ? null
            : $"*** {context.Sender} {(isOpen ? "opened the room to calls" : "closed the room to calls")}";
    }

    /// <summary><c>*** @bob:example.org rang the room</c>; <c>null</c> where content has a wrong type or doesn't say how loud.</summary>
    public static string? Notification(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var how = types.String(content["notification_type"u8]) ?? types.String(content["notify_type"u8]);
        return (types.Failed ? null : how) switch
        {
            "ring" => $"*** {context.Sender} rang the room",
            "notification" or "notify" => $"*** {context.Sender} told the room about a call",
            _ => null,
        };
    }

    /// <summary><c>*** @bob:example.org declined the call</c>; <c>null</c> where content has a wrong type.</summary>
    public static string? Decline(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);
        _ = types.Object(content["m.relates_to"u8]);
        return types.Failed || content.Bytes.IsEmpty ? null : $"*** {context.Sender} declined the call";
    }

    /// <summary>Whether somebody is in the call: a list of memberships that isn't empty, or an <c>application</c>; <c>null</c> where it says neither.</summary>
    private static bool? IsIn(RawJson content, TypeCheck types)
    {
        if (content.Kind != JsonValueKind.Object)
        {
            return null;
        }

        if (content["memberships"u8] is var memberships && TypeCheck.IsPresent(memberships))
        {
            return types.Items(memberships).ConvertAll(types.Object).Count > 0;
        }

        // A string, and later an object.
        return content["application"u8].Kind switch
        {
            JsonValueKind.String or JsonValueKind.Object => true,
            JsonValueKind.Undefined or JsonValueKind.Null when HasLeft(content) => false,
            _ => null,
        };
    }

    /// <summary>Nothing is left of the membership but why, or which it was.</summary>
    private static bool HasLeft(RawJson content) =>
        content.IsEmptyObject
        || TypeCheck.IsPresent(content["leave_reason"u8]) || TypeCheck.IsPresent(content["disconnect_reason"u8]) || TypeCheck.IsPresent(content["sticky_key"u8]);
}
