namespace LoggingService.Rendering;

/// <summary>The lines of a room's name, topic, avatar and pinned events. (Client-Server API, "Room Events".)</summary>
internal static class RoomStateLine
{
    /// <summary>A missing or empty name removes it.</summary>
    public static string? Name(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.String(content["name"u8]) ?? "",
        static (name, previous) => (previous ?? "", name) switch
        {
            ("", "") => "removed the room name",
            ({ } old, "") => $"removed the room name {SafeText.Quoted(old)}",
            ({ Length: > 0 } old, _) when old != name =>
                $"changed the room name from {SafeText.Quoted(old)} to {SafeText.Quoted(name)}",
            _ => $"set the room name to {SafeText.Quoted(name)}",
        });

    // The text of m.topic takes precedence over topic.
    // Topics are long and the previous one is in an earlier line, so it is repeated only if it was removed.
    public static string? Topic(RenderContext context)
    {
        return context.Sentence((content, types) => Read(content, types) switch
        {
            "" when TypeCheck.Read(context.PreviousContent(), Read) is { Length: > 0 } previous =>
                $"removed the topic {SafeText.Quoted(previous)}",
            "" => "removed the topic",
            var topic => $"set the topic to {SafeText.Quoted(topic)}",
        });

        static string Read(RawJson content, TypeCheck types)
        {
            var topic = types.String(content["topic"u8]) ?? "";
            return TextBlock.Plain(types.Object(content["m.topic"u8]), types) is { Length: > 0 } text ? text : topic;
        }
    }

    /// <summary>A missing or empty address removes it.</summary>
    public static string? Avatar(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.String(content["url"u8]) ?? "",
        static (url, previous) => url.Length == 0 ? "removed the room avatar"
            : string.IsNullOrEmpty(previous) || previous == url ? "set the room avatar"
            : "changed the room avatar");

    public static string? PinnedEvents(RenderContext context) => context.ChangeSentence(
        static (content, types) => TypeCheck.IsPresent(content["pinned"u8]) ? types.Strings(content["pinned"u8]) : null,
        static (current, previous) =>
        {
            var total = current.Count == 0 ? "none left" : $"{current.Count} in all";
            var added = Prose.Except(current, previous ?? []).Count;
            var removed = Prose.Except(previous ?? [], current).Count;
            return (added, removed) switch
            {
                _ when previous is null => $"set the pinned events ({total})",
                (0, 0) when current.SequenceEqual(previous) => "set the pinned events again (nothing changed)",
                (0, 0) => "put the pinned events in another order",
                (_, 0) => $"pinned {Prose.Pluralize(added, "event")} ({total})",
                (0, _) => $"unpinned {Prose.Pluralize(removed, "event")} ({total})",
                _ => $"pinned {Prose.Pluralize(added, "event")} and unpinned {removed} ({total})",
            };
        });

    /// <summary>The line of any state event that was redacted before it reached the service.</summary>
    public static string Removed(RenderContext context)
    {
        var subject = (context.Event.CanonicalType, context.Event.StateKey) switch
        {
            ("m.room.name", "") => "the room name",
            ("m.room.topic", "") => "the topic",
            ("m.room.avatar", "") => "the room avatar",
            ("m.room.canonical_alias", "") => "the aliases",
            ("m.room.pinned_events", "") => "the pinned events",
            _ => LogLine.DescribeType(context.Event),
        };
        return $"*** {context.Sender} changed {subject}, removed before it was logged";
    }
}
