using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The line of <c>m.room.power_levels</c>: whose level, or which act's, became what. (Client-Server API, <c>m.room.power_levels</c>, where the defaults are.)</summary>
internal static class PowerLevelsLine
{
    private const string NoLevel = "default";

    // In the order in which a line tells them.
    private static readonly (string Key, string Words, long Default)[] Known =
    [
        ("users_default", "everyone else", 0),
        ("events_default", "to send messages", 0),
        ("state_default", "to change settings", 50),
        ("invite", "to invite", 0),
        ("kick", "to kick", 50),
        ("ban", "to ban", 50),
        ("redact", "to remove messages", 50),
    ];

    /// <summary>A level's place in content: the key, and of which object it is one (<c>users</c>, <c>events</c>, <c>notifications</c>, or empty for content itself).</summary>
    private readonly record struct Place(string In, string Key);

    /// <summary>The line; <c>null</c> where content has a wrong type.</summary>
    public static string? Render(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, Levels) is not { } now)
        {
            return null;
        }

        var before = TypeCheck.Read(context.PreviousContent(), Levels);
        var told = before is null ? All(now) : Changes(before, now, context.ArrivedRedacted);
        var sentence = (before, told) switch
        {
            (null, []) => "set the power levels to their defaults",
            (null, _) => $"set the power levels: {Prose.List(told)}",
            (_, []) => "set the power levels again (nothing changed)",
            _ => $"changed power levels: {Prose.List(told)}",
        };
        return $"*** {context.Sender} {sentence}{context.RedactedSuffix}";
    }

    private static OrderedDictionary<Place, long> Levels(RawJson content, TypeCheck types)
    {
        var levels = new OrderedDictionary<Place, long>();
        var members = content.Members();
        Add("users");
        foreach (var (key, _, _) in Known)
        {
            if (members.Remove(key, out var value) && Level(value, types) is { } level)
            {
                levels[new("", key)] = level;
            }
        }

        Add("notifications");
        Add("events");

        // Keys that the specification doesn't know have no effect by it, and need not hold a level.
        foreach (var (key, value) in members)
        {
            if (value.AsInteger() is { } level)
            {
                levels[new("", key)] = level;
            }
        }

        return levels;

        void Add(string name)
        {
            if (members.Remove(name, out var value))
            {
                foreach (var (key, one) in types.Object(value).Members())
                {
                    if (Level(one, types) is { } level)
                    {
                        levels[new(name, key)] = level;
                    }
                }
            }
        }
    }

    /// <summary>Room versions up to 9 allow a number in a string. (Client-Server API, <c>m.room.power_levels</c>; room version 10.)</summary>
    private static long? Level(RawJson value, TypeCheck types) =>
        value.AsString() is { } text && long.TryParse(text, out var level) ? level : types.Integer(value);

    /// <summary>Where nothing is known of the levels before: what isn't so by default. Synapse puts keys without an effect into each new room: they are told only when they change.</summary>
    private static List<string> All(OrderedDictionary<Place, long> now) =>
        [.. now.Where(level => Usual(level.Key, now) is { } usual ? usual != level.Value : level.Key.In.Length > 0).Select(static level => $"{Describe(level.Key)} {level.Value}")];

    /// <summary>The level that would hold without this one; <c>null</c> where that isn't known.</summary>
    private static long? Usual(Place place, OrderedDictionary<Place, long> levels) => place.In == "events"
        ? place.Key.StartsWith("m.room.", StringComparison.Ordinal) && place.Key is not ("m.room.message" or "m.room.encrypted" or "m.room.redaction")
            ? levels.TryGetValue(new("", "state_default"), out var level) ? level : 50
            : null
        : Default(place, levels);

    private static List<string> Changes(OrderedDictionary<Place, long> before, OrderedDictionary<Place, long> now, bool isRedacted)
    {
        var changes = new List<string>();
        foreach (var place in now.Keys.Union(before.Keys))
        {
            long? was = before.TryGetValue(place, out var earlier) ? earlier : Default(place, before);
            long? becomes = now.TryGetValue(place, out var level) ? level : Default(place, now);

            // What a redaction took out wasn't changed by this event.
            if (was != becomes && !(isRedacted && !now.ContainsKey(place)))
            {
                changes.Add($"{Describe(place)} {was?.ToString() ?? NoLevel} → {becomes?.ToString() ?? NoLevel}");
            }
        }

        return changes;
    }

    /// <summary>The level where content names none; <c>null</c> for a type of event, where it depends on whether such are sent as state.</summary>
    private static long? Default(Place place, OrderedDictionary<Place, long> levels) => place.In switch
    {
        "users" => levels.GetValueOrDefault(new("", "users_default")),
        "notifications" when place.Key == "room" => 50,
        "" => Array.Find(Known, known => known.Key == place.Key) is { Key: not null } known ? known.Default : null,
        _ => null,
    };

    private static string Describe(Place place) => place.In switch
    {
        "users" => place.Key.StartsWith('@') ? SafeText.UserId(place.Key) : SafeText.Quoted(place.Key),
        "events" => $"to send {SafeText.EventType(place.Key)}",
        "notifications" => place.Key == "room" ? "to notify the room" : $"to notify {SafeText.Quoted(place.Key)}",
        _ => Array.Find(Known, known => known.Key == place.Key).Words ?? SafeText.Quoted(place.Key),
    };
}
