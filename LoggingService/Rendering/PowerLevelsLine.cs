namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.power_levels</c>: the levels that changed. (Client-Server API, <c>m.room.power_levels</c>.)</summary>
internal static class PowerLevelsLine
{
    // In the order in which a line lists them.
    private static readonly (Utf8Text Key, byte[] Description, long Default)[] KnownKeys =
    [
        (Utf8Text.From("users_default"), "everyone else"u8.ToArray(), 0),
        (Utf8Text.From("events_default"), "to send messages"u8.ToArray(), 0),
        (Utf8Text.From("state_default"), "to change settings"u8.ToArray(), 50),
        (Utf8Text.From("invite"), "to invite"u8.ToArray(), 0),
        (Utf8Text.From("kick"), "to kick"u8.ToArray(), 50),
        (Utf8Text.From("ban"), "to ban"u8.ToArray(), 50),
        (Utf8Text.From("redact"), "to remove messages"u8.ToArray(), 50),
    ];

    private static readonly Utf8Text StateDefault = Utf8Text.From("state_default");
    private static readonly Utf8Text UsersDefault = Utf8Text.From("users_default");

    /// <summary>A key of <c>users</c>, <c>events</c> or <c>notifications</c>, or of the content itself (an empty section).</summary>
    private readonly record struct LevelKey(string Section, Utf8Text Key);

    public static bool Render(RenderContext context) => context.ChangeSentence(ReadLevels, (current, previous) =>
    {
        var levels = previous is null ? DescribeAll(current) : DescribeChanges(previous, current, context.ArrivedRedacted);
        return (previous, levels) switch
        {
            (null, []) => "set the power levels to their defaults"u8,
            (null, _) => $"set the power levels: {Prose.List(levels)}",
            (_, []) => "set the power levels again (nothing changed)"u8,
            _ => $"changed power levels: {Prose.List(levels)}",
        };
    });

    private static OrderedDictionary<LevelKey, long> ReadLevels(RawJson content, TypeCheck types)
    {
        var levels = new OrderedDictionary<LevelKey, long>();
        var members = content.Members();
        AddSection("users");
        foreach (var (key, _, _) in KnownKeys)
        {
            if (members.Remove(key, out var value) && ReadLevel(value, types) is { } level)
            {
                levels[new("", key)] = level;
            }
        }

        AddSection("notifications");
        AddSection("events");

        // Other keys have no effect by the specification, and may contain anything.
        foreach (var (key, value) in members)
        {
            if (value.AsInteger() is { } level)
            {
                levels[new("", key)] = level;
            }
        }

        return levels;

        void AddSection(string section)
        {
            members.Remove(Utf8Text.From(section), out var value);
            foreach (var (key, item) in types.Object(value).Members())
            {
                if (ReadLevel(item, types) is { } level)
                {
                    levels[new(section, key)] = level;
                }
            }
        }
    }

    // Room versions up to 9 allow a number in a string. (Room version 10.)
    private static long? ReadLevel(RawJson value, TypeCheck types) =>
        value.AsText() is { } text && long.TryParse(text.Span, out var level) ? level : types.Integer(value);

    // Without defaults, and without keys that have no effect, which Synapse sets in each new room.
    private static List<Phrase> DescribeAll(OrderedDictionary<LevelKey, long> levels) =>
    [
        .. from level in levels
           let usual = UsualLevel(level.Key, levels)
           where usual is null ? level.Key.Section.Length > 0 : usual != level.Value
           select (Phrase)$"{Describe(level.Key)} {level.Value}",
    ];

    /// <summary>As <see cref="DefaultLevel"/>, but takes <c>m.room.*</c> types, except for three, as those of state events.</summary>
    private static long? UsualLevel(LevelKey key, OrderedDictionary<LevelKey, long> levels)
    {
        var isState = key.Section == "events" && key.Key.StartsWith("m.room."u8)
            && key.Key.ToString() is not ("m.room.message" or "m.room.encrypted" or "m.room.redaction");
        return isState ? levels.GetValueOrDefault(new("", StateDefault), 50) : DefaultLevel(key, levels);
    }

    private static List<Phrase> DescribeChanges(
        OrderedDictionary<LevelKey, long> previous, OrderedDictionary<LevelKey, long> current, bool isRedacted) =>
    [
        // A missing key of a redacted event was removed by the redaction, not by the event.
        .. from key in isRedacted ? current.Keys : current.Keys.Union(previous.Keys)
           let before = LevelOrDefault(key, previous)
           let after = LevelOrDefault(key, current)
           where before != after
           select (Phrase)$"{Describe(key)} {DescribeLevel(before)} → {DescribeLevel(after)}",
    ];

    private static long? LevelOrDefault(LevelKey key, OrderedDictionary<LevelKey, long> levels) =>
        levels.TryGetValue(key, out var level) ? level : DefaultLevel(key, levels);

    /// <summary><c>null</c> for an event type: its default depends on whether it is sent as a state event.</summary>
    private static long? DefaultLevel(LevelKey key, OrderedDictionary<LevelKey, long> levels) => key.Section switch
    {
        "users" => levels.GetValueOrDefault(new("", UsersDefault)),
        "notifications" when key.Key.Span.SequenceEqual("room"u8) => 50,
        "" => Array.Find(KnownKeys, known => known.Key == key.Key) is { Description: not null } known ? known.Default : null,
        _ => null,
    };

    private static Phrase DescribeLevel(long? level) => level is { } number ? $"{number}" : "default"u8;

    private static Phrase Describe(LevelKey key) => key.Section switch
    {
        "users" => key.Key.StartsWith("@"u8) ? SafeText.UserId(key.Key) : SafeText.Quoted(key.Key),
        "events" => $"to send {SafeText.EventType(key.Key)}",
        "notifications" => key.Key.Span.SequenceEqual("room"u8) ? "to notify the room"u8 : $"to notify {SafeText.Quoted(key.Key)}",
        _ => Array.Find(KnownKeys, known => known.Key == key.Key).Description is { } words ? words : SafeText.Quoted(key.Key),
    };
}
