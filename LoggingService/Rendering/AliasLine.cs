using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of a room's aliases: which came and which went. (Client-Server API, <c>m.room.canonical_alias</c>; "Historical events", <c>m.room.aliases</c>.)</summary>
internal static class AliasLine
{
    private sealed record Aliases(string? Main, List<string> Others);

    /// <summary>The line of <c>m.room.canonical_alias</c>; <c>null</c> where content has a wrong type. A main alias that is missing or empty is removed.</summary>
    public static string? Canonical(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, ReadCanonical) is not { } now)
        {
            return null;
        }

        var told = TypeCheck.Read(context.PreviousContent(), ReadCanonical) is { } before ? Changes(before, now) : All(now);
        return $"*** {context.Sender} {(told.Count == 0 ? "set the aliases again (nothing changed)" : Prose.Join(told))}";
    }

    /// <summary>The line of <c>m.room.aliases</c>, with which each server once told its own aliases of the room; <c>null</c> where content has a wrong type.</summary>
    public static string? OfServer(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, ReadOfServer) is not { } now)
        {
            return null;
        }

        var server = SafeText.ServerName(context.Event.StateKey!);
        var before = TypeCheck.Read(context.PreviousContent(), ReadOfServer);
        var changes = Difference(added: Prose.Except(now, before ?? []), removed: Prose.Except(before ?? [], now));
        var sentence = (before, now, changes) switch
        {
            (null, [], _) => $"removed the aliases of {server}",
            (null, _, _) => $"set the aliases of {server} to {Listed(now)}",
            (_, _, []) => $"set the aliases of {server} again (nothing changed)",
            _ => Prose.Join(changes),
        };
        return $"*** {context.Sender} {sentence}{context.RedactedSuffix}";
    }

    private static Aliases ReadCanonical(RawJson content, TypeCheck types) => new(types.NonEmpty(content["alias"u8]), types.Strings(content["alt_aliases"u8]));

    private static List<string> ReadOfServer(RawJson content, TypeCheck types) => types.Strings(content["aliases"u8]);

    /// <summary>Where nothing is known of the aliases before.</summary>
    private static List<string> All(Aliases now) => (now.Main, Prose.Except(now.Others, [now.Main ?? ""])) switch
    {
        (null, []) => ["removed the main alias"],
        (null, var others) => [$"set the aliases to {Listed(others)}, without a main one"],
        (_, []) => [$"set the main alias to {SafeText.RoomAlias(now.Main)}"],
        (_, var others) => [$"set the main alias to {SafeText.RoomAlias(now.Main)}", $"the other aliases to {Listed(others)}"],
    };

    private static List<string> Changes(Aliases before, Aliases now)
    {
        var main = (before.Main, now.Main) switch
        {
            _ when before.Main == now.Main => null,
            (null, not null) => $"set the main alias to {SafeText.RoomAlias(now.Main)}",
            (not null, null) => $"removed the main alias {SafeText.RoomAlias(before.Main)}",
            _ => $"changed the main alias from {SafeText.RoomAlias(before.Main!)} to {SafeText.RoomAlias(now.Main!)}",
        };
        // Of a main one all is said: it may be among the others too.
        var others = Difference(
            added: Prose.Except(now.Others, [.. before.Others, now.Main ?? ""]),
            removed: Prose.Except(before.Others, [.. now.Others, before.Main ?? "", now.Main ?? ""]));
        return main is null ? others : [main, .. others];
    }

    private static List<string> Difference(List<string> added, List<string> removed)
    {
        var changes = new List<string>();
        if (added.Count > 0)
        {
            changes.Add($"added the {Noun(added)} {Listed(added)}");
        }

        if (removed.Count > 0)
        {
            changes.Add($"removed the {Noun(removed)} {Listed(removed)}");
        }

        return changes;
    }

    private static string Noun(List<string> aliases) => aliases.Count == 1 ? "alias" : "aliases";

    private static string Listed(List<string> aliases) => Prose.List(aliases.Select(SafeText.RoomAlias));
}
