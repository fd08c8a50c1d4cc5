namespace LoggingService.Rendering;

/// <summary>The lines of room aliases. (Client-Server API, <c>m.room.canonical_alias</c>; "Historical events" for the other.)</summary>
internal static class AliasLine
{
    private sealed record Aliases(string? Main, List<string> Alternatives);

    /// <summary>The line of <c>m.room.canonical_alias</c>, which without a main alias removes it.</summary>
    public static string? Canonical(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Aliases(types.NonEmpty(content["alias"u8]), types.Strings(content["alt_aliases"u8])),
        static (current, previous) => Prose.Join(previous is null ? DescribeAll(current) : DescribeChanges(previous, current))
            ?? "set the aliases again (nothing changed)");

    /// <summary>The line of <c>m.room.aliases</c>, in which each server used to publish its own aliases of the room.</summary>
    public static string? OfServer(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.Strings(content["aliases"u8]),
        (current, previous) =>
        {
            var server = SafeText.ServerName(context.Event.StateKey!);
            return (previous, current) switch
            {
                (null, []) => $"removed the aliases of {server}",
                (null, _) => $"set the aliases of {server} to {List(current)}",
                _ => Prose.Join(DescribeDifference(Prose.Except(current, previous), Prose.Except(previous, current)))
                    ?? $"set the aliases of {server} again (nothing changed)",
            };
        });

    private static string?[] DescribeAll(Aliases current)
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

    private static string?[] DescribeChanges(Aliases previous, Aliases current)
    {
        // The main alias may be among the alternatives, and is fully described already.
        var main = Prose.Change("the main alias", previous.Main, current.Main, SafeText.RoomAlias);
        var added = Prose.Except(current.Alternatives, [.. previous.Alternatives, current.Main ?? ""]);
        var removed = Prose.Except(previous.Alternatives, [.. current.Alternatives, previous.Main ?? "", current.Main ?? ""]);
        return [main, .. DescribeDifference(added, removed)];
    }

    private static string?[] DescribeDifference(List<string> added, List<string> removed)
    {
        return [Describe("added", added), Describe("removed", removed)];

        static string? Describe(string verb, List<string> aliases) =>
            aliases.Count == 0 ? null : $"{verb} the {(aliases.Count == 1 ? "alias" : "aliases")} {List(aliases)}";
    }

    private static string List(List<string> aliases) => Prose.List(aliases.Select(SafeText.RoomAlias));
}
