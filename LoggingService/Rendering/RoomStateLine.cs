namespace LoggingService.Rendering;

/// <summary>The lines of a room's name, topic, avatar and pinned events. (Client-Server API, "Room Events".)</summary>
internal static class RoomStateLine
{
    private const int MaxPinsNamed = 3;

    private static ReadOnlySpan<byte> RemovedSuffix => ", removed before it was logged"u8;

    private static ReadOnlySpan<byte> ErasedSuffix => ", erased"u8;

    private sealed record Setting(Utf8Text Value);

    /// <summary>A missing or empty name removes it.</summary>
    public static bool Name(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Setting(types.String(content["name"u8]) ?? default),
        static (current, previous) => (previous?.Value ?? default, current.Value) switch
        {
            ({ Length: 0 }, { Length: 0 }) => "removed the room name"u8,
            (var old, { Length: 0 }) => $"removed the room name {SafeText.Quoted(old)}",
            ({ Length: > 0 } old, var name) when old != name =>
                $"changed the room name from {SafeText.Quoted(old)} to {SafeText.Quoted(name)}",
            (_, var name) => $"set the room name to {SafeText.Quoted(name)}",
        });

    // The text of m.topic takes precedence over topic.
    // Topics are long and the previous one is in an earlier line, so it is repeated only if it was removed.
    public static bool Topic(RenderContext context)
    {
        return context.Sentence((content, types) => Read(content, types).Value switch
        {
            { Length: > 0 } topic => $"set the topic to {SafeText.Quoted(topic)}",
            _ when TypeCheck.Read(context.PreviousContent(), Read) is { Value: { Length: > 0 } previous } =>
                $"removed the topic {SafeText.Quoted(previous)}",
            _ => "removed the topic"u8,
        });

        static Setting Read(RawJson content, TypeCheck types)
        {
            var topic = types.String(content["topic"u8]) ?? default;
            return new(TextBlock.Plain(types.Object(content["m.topic"u8]), types) is { Length: > 0 } text ? text : topic);
        }
    }

    /// <summary>A missing or empty address removes it.</summary>
    public static bool Avatar(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Setting(types.String(content["url"u8]) ?? default),
        static (current, previous) => current.Value.Length == 0 ? "removed the room avatar"u8
            : previous is null or { Value.Length: 0 } || previous == current ? "set the room avatar"u8
            : "changed the room avatar"u8);

    public static bool PinnedEvents(RenderContext context) => context.ChangeSentence(
        static (content, types) => TypeCheck.IsPresent(content["pinned"u8]) ? types.Strings(content["pinned"u8]) : null,
        (current, previous) =>
        {
            Phrase total = current.Count == 0 ? "none left"u8 : $"{current.Count} in all";
            var added = Prose.Except(current, previous ?? []);
            var removed = Prose.Except(previous ?? [], current);
            return (added, removed) switch
            {
                _ when previous is null => $"set the pinned events ({total})",
                ([], []) when current.SequenceEqual(previous) => "set the pinned events again (nothing changed)"u8,
                ([], []) => "put the pinned events in another order"u8,
                (_, []) => $"pinned {DescribePins(context, added)} ({total})",
                ([], _) => $"unpinned {DescribePins(context, removed)} ({total})",
                _ => $"pinned {DescribePins(context, added)} and unpinned {DescribePins(context, removed)} ({total})",
            };
        });

    /// <summary>The line of state that is encrypted: its state key names type and key. (MSC4362.)</summary>
    public static bool Encrypted(RenderContext context)
    {
        var colon = context.StateKey.Span.IndexOf((byte)':');
        Phrase state = colon <= 0 ? LogLine.DescribeType(context.Event)
            : context.StateKey.Length == colon + 1 ? SafeText.EventType(context.StateKey[..colon])
            : $"{SafeText.EventType(context.StateKey[..colon])} [{SafeText.Quoted(context.StateKey[(colon + 1)..])}]";
        return context.Write($"*** {context.Sender} changed {state}, encrypted: cannot be logged");
    }

    private static Phrase DescribePins(RenderContext context, List<Utf8Text> ids) => ids.Count > MaxPinsNamed
        ? Prose.Pluralize(ids.Count, "event"u8)
        : Prose.List(ids.ConvertAll(id => (Phrase?)Reference.ToEvent(context, id)));

    /// <summary>The line of any state event that was redacted before it reached the service.</summary>
    public static bool Removed(RenderContext context)
    {
        Phrase subject = (context.Event.CanonicalType, context.Event.StateKey) switch
        {
            ("m.room.name", "") => "the room name"u8,
            ("m.room.topic", "") => "the topic"u8,
            ("m.room.avatar", "") => "the room avatar"u8,
            ("m.room.canonical_alias", "") => "the aliases"u8,
            ("m.room.pinned_events", "") => "the pinned events"u8,
            _ => LogLine.DescribeType(context.Event),
        };
        return context.Write($"*** {context.Sender} changed {subject}{(ErasedEvent.IsStub(context.Event) ? ErasedSuffix : RemovedSuffix)}");
    }

    /// <summary>Whether a line, with its line break, is that of removed state. What a sender wrote can't end a line of state.</summary>
    public static bool IsRemoved(ReadOnlySpan<byte> line) =>
        line[..^1].EndsWith(RemovedSuffix) || line[..^1].EndsWith(ErasedSuffix);
}
