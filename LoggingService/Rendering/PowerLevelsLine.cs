namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.power_levels</c>: the levels that changed. (Client-Server API, <c>m.room.power_levels</c>.)</summary>
internal static class PowerLevelsLine
{
    // In the order in which a line lists them.
    private static readonly (string Key, string Description, long Default)[] KnownKeys =
    [
        ("users_default", "everyone else", 0),
        ("events_default", "to send messages", 0),
        ("state_default", "to change settings", 50),
        ("invite", "to invite", 0),
        ("kick", "to kick", 50),
        ("ban", "to ban", 50),
        ("redact", "to remove messages", 50),
    ];

    /// <summary>A key of <c>users</c>, <c>events</c> or <c>notifications</c>, or of the content itself (an empty section).</summary>
    private readonly record struct LevelKey(string Section, string Key);

    public static string? Render(RenderContext context) => context.ChangeSentence(ReadLevels, (current, previous) =>
    {
        var levels = previous is null ? DescribeAll(current) : DescribeChanges(previous, current, context.ArrivedRedacted);
        return (previous, levels) switch
        {
            (null, []) => "set the power levels to their defaults",
            (null, _) => $"set the power levels: {Prose.List(levels)}",
            (_, []) => "set the power levels again (nothing changed)",
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
            members.Remove(section, out var value);
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
        value.AsString() is { } text && long.TryParse(text, out var level) ? level : types.Integer(value);

    // Without defaults, and without keys that have no effect, which Synapse sets in each new room.
    private static List<string> DescribeAll(OrderedDictionary<LevelKey, long> levels) =>
    [
        .. from level in levels
           let usual = UsualLevel(level.Key, levels)
           where usual is null ? level.Key.Section.Length > 0 : usual != level.Value
           select $"{Describe(level.Key)} {level.Value}",
    ];

    /// <summary>As <see cref="DefaultLevel"/>, but takes <c>m.room.*</c> types, except for three, as those of state events.</summary>
    private static long? UsualLevel(LevelKey key, OrderedDictionary<LevelKey, long> levels)
    {
        var isState = key.Section == "events" && key.Key.StartsWith("m.room.", StringComparison.Ordinal)
            && key.Key is not ("m.room.message" or "m.room.encrypted" or "m.room.redaction");
        return isState ? levels.GetValueOrDefault(new("", "state_default"), 50) : DefaultLevel(key, levels);
    }

    private static List<string> DescribeChanges(
        OrderedDictionary<LevelKey, long> previous, OrderedDictionary<LevelKey, long> current, bool isRedacted) =>
    [
        // A missing key of a redacted event was removed by the redaction, not by the event.
        .. from key in isRedacted ? current.Keys : current.Keys.Union(previous.Keys)
           let before = LevelOrDefault(key, previous)
           let after = LevelOrDefault(key, current)
           where before != after
           select $"{Describe(key)} {before?.ToString() ?? "default"} → {after?.ToString() ?? "default"}",
    ];

    private static long? LevelOrDefault(LevelKey key, OrderedDictionary<LevelKey, long> levels) =>
        levels.TryGetValue(key, out var level) ? level : DefaultLevel(key, levels);

    /// <summary><c>null</c> for an event type: its default depends on whether it is sent as a state event.</summary>
    private static long? DefaultLevel(LevelKey key, OrderedDictionary<LevelKey, long> levels) => key.Section switch
    {
        "users" => levels.GetValueOrDefault(new("", "users_default")),
        "notifications" when key.Key == "room" => 50,
        "" => Array.Find(KnownKeys, known => known.Key == key.Key) is { Key: not null } known ? known.Default : null,
        _ => null,
    };

    private static string Describe(LevelKey key) => key.Section switch
    {
        "users" => key.Key.StartsWith('@') ? SafeText.UserId(key.Key) : SafeText.Quoted(key.Key),
        "events" => $"to send {SafeText.EventType(key.Key)}",
        "notifications" => key.Key == "room" ? "to notify the room" : $"to notify {SafeText.Quoted(key.Key)}",
        _ => Array.Find(KnownKeys, known => known.Key == key.Key).Description ?? SafeText.Quoted(key.Key),
    };
}
