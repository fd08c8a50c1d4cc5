namespace LoggingService.Rendering;

/// <summary>The lines of room aliases. (Client-Server API, <c>m.room.canonical_alias</c>; "Historical events" for the other.)</summary>
internal static class AliasLine
{
    private sealed record Aliases(string? Main, List<string> Alternatives);

    /// <summary>The line of <c>m.room.canonical_alias</c>, which without a main alias removes it.</summary>
    public static string? Canonical(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Aliases(types.NonEmpty(content["alias"u8]), types.Strings(content["alt_aliases"u8])),
        static (current, previous) =>
        {
            var parts = previous is null ? DescribeAll(current) : DescribeChanges(previous, current);
            return parts.Count == 0 ? "set the aliases again (nothing changed)" : Prose.Join(parts);
        });

    /// <summary>The line of <c>m.room.aliases</c>, in which each server used to publish its own aliases of the room.</summary>
    public static string? OfServer(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.Strings(content["aliases"u8]),
        (current, previous) =>
        {
            var server = SafeText.ServerName(context.Event.StateKey!);
            var changes = DescribeDifference(added: Prose.Except(current, previous ?? []), removed: Prose.Except(previous ?? [], current));
            return (previous, current, changes) switch
            {
                (null, [], _) => $"removed the aliases of {server}",
                (null, _, _) => $"set the aliases of {server} to {List(current)}",
                (_, _, []) => $"set the aliases of {server} again (nothing changed)",
                _ => Prose.Join(changes),
            };
        });

    private static List<string> DescribeAll(Aliases current)
    {
        var alternatives = Prose.Except(current.Alternatives, [current.Main ?? ""]);
        return (current.Main, alternatives) switch
        {
            (null, []) => ["removed the main alias"],
            (null, _) => [$"set the aliases to {List(alternatives)}, without a main one"],
            ({ } main, []) => [$"set the main alias to {SafeText.RoomAlias(main)}"],
            ({ } main, _) => [$"set the main alias to {SafeText.RoomAlias(main)}", $"the other aliases to {List(alternatives)}"],
        };
    }

    private static List<string> DescribeChanges(Aliases previous, Aliases current)
    {
        var main = (previous.Main, current.Main) switch
        {
            _ when previous.Main == current.Main => null,
            (null, { } added) => $"set the main alias to {SafeText.RoomAlias(added)}",
            ({ } removed, null) => $"removed the main alias {SafeText.RoomAlias(removed)}",
            _ => $"changed the main alias from {SafeText.RoomAlias(previous.Main!)} to {SafeText.RoomAlias(current.Main!)}",
        };

        // The main alias may be among the alternatives, and is fully described already.
        var alternatives = DescribeDifference(
            added: Prose.Except(current.Alternatives, [.. previous.Alternatives, current.Main ?? ""]),
            removed: Prose.Except(previous.Alternatives, [.. current.Alternatives, previous.Main ?? "", current.Main ?? ""]));
        return main is null ? alternatives : [main, .. alternatives];
    }

    private static List<string> DescribeDifference(List<string> added, List<string> removed)
    {
        string?[] changes = [Describe("added", added), Describe("removed", removed)];
        return [.. changes.OfType<string>()];

        static string? Describe(string verb, List<string> aliases) =>
            aliases.Count == 0 ? null : $"{verb} the {(aliases.Count == 1 ? "alias" : "aliases")} {List(aliases)}";
    }

    private static string List(List<string> aliases) => Prose.List(aliases.Select(SafeText.RoomAlias));
}
