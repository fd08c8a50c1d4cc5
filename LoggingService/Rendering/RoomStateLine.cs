using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of what a room shows of itself: its name, topic, avatar, pinned events. (Client-Server API, "Room Events".)</summary>
internal static class RoomStateLine
{
    /// <summary>The line of <c>m.room.name</c>; <c>null</c> where content has a wrong type. A name that is missing or empty is removed.</summary>
    public static string? Name(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, Read) is not { } name)
        {
            return null;
        }

        return (TypeCheck.Read(context.PreviousContent(), Read), name) switch
        {
            (null or "", "") => $"*** {context.Sender} removed the room name",
            (var before, "") => $"*** {context.Sender} removed the room name {SafeText.Quoted(before)}",
            (not (null or "") and var before, _) when before != name => $"*** {context.Sender} changed the room name from {SafeText.Quoted(before)} to {SafeText.Quoted(name)}",
            _ => $"*** {context.Sender} set the room name to {SafeText.Quoted(name)}",
        };

        static string Read(RawJson content, TypeCheck types) => types.String(content["name"u8]) ?? "";
    }

    /// <summary>The line of <c>m.room.topic</c>; <c>null</c> where content has a wrong type. The plain text of <c>m.topic</c> comes before <c>topic</c>. An earlier topic is long, and stands above: only one that was removed is repeated.</summary>
    public static string? Topic(RenderContext context)
    {
        return TypeCheck.Read(context.Event.Content, Read) switch
        {
            null => null,
            "" when TypeCheck.Read(context.PreviousContent(), Read) is { Length: > 0 } before => $"*** {context.Sender} removed the topic {SafeText.Quoted(before)}",
            "" => $"*** {context.Sender} removed the topic",
            var topic => $"*** {context.Sender} set the topic to {SafeText.Quoted(topic)}",
        };

        static string Read(RawJson content, TypeCheck types)
        {
            var topic = types.String(content["topic"u8]) ?? "";
            return TextBlock.Plain(types.Object(content["m.topic"u8]), types) is { Length: > 0 } text ? text : topic;
        }
    }

    /// <summary>The line of <c>m.room.avatar</c>; <c>null</c> where content has a wrong type. An address that is missing or empty is removed.</summary>
    public static string? Avatar(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, Read) is not { } url)
        {
            return null;
        }

        return (TypeCheck.Read(context.PreviousContent(), Read), url) switch
        {
            (_, "") => $"*** {context.Sender} removed the room avatar",
            (not (null or "") and var before, _) when before != url => $"*** {context.Sender} changed the room avatar",
            _ => $"*** {context.Sender} set the room avatar",
        };

        static string Read(RawJson content, TypeCheck types) => types.String(content["url"u8]) ?? "";
    }

    /// <summary>The line of <c>m.room.pinned_events</c>: how many more or fewer; <c>null</c> where content has a wrong type or no list.</summary>
    public static string? PinnedEvents(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, Pinned) is not { } now)
        {
            return null;
        }

        var left = now.Count == 0 ? "none left" : $"{now.Count} in all";
        if (TypeCheck.Read(context.PreviousContent(), Pinned) is not { } before)
        {
            return $"*** {context.Sender} set the pinned events ({left})";
        }

        var added = Prose.Except(now, before).Count;
        var removed = Prose.Except(before, now).Count;
        return (added, removed) switch
        {
            (0, 0) when now.SequenceEqual(before) => $"*** {context.Sender} set the pinned events again (nothing changed)",
            (0, 0) => $"*** {context.Sender} put the pinned events in another order",
            (_, 0) => $"*** {context.Sender} pinned {Prose.Pluralize(added, "event")} ({left})",
            (0, _) => $"*** {context.Sender} unpinned {Prose.Pluralize(removed, "event")} ({left})",
            _ => $"*** {context.Sender} pinned {Prose.Pluralize(added, "event")} and unpinned {removed} ({left})",
        };

        static List<string>? Pinned(RawJson content, TypeCheck types) => TypeCheck.IsPresent(content["pinned"u8]) ? types.Strings(content["pinned"u8]) : null;
    }

    /// <summary>The line of state whose content had been taken out before it reached us: it can't say what was set, nor whether anything was.</summary>
    public static string Removed(RenderContext context)
    {
        var what = (context.Event.Type, context.Event.StateKey) switch
        {
            ("m.room.name", "") => "the room name",
            ("m.room.topic", "") => "the topic",
            ("m.room.avatar", "") => "the room avatar",
            ("m.room.canonical_alias", "") => "the aliases",
            ("m.room.pinned_events", "") => "the pinned events",
            _ => LogLine.DescribeType(context.Event),
        };
        return $"*** {context.Sender} changed {what}, removed before it was logged";
    }
}
