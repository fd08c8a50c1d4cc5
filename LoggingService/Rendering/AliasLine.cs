namespace LoggingService.Rendering;

/// <summary>The lines of room aliases. (Client-Server API, <c>m.room.canonical_alias</c>; "Historical events" for the other.)</summary>
internal static class AliasLine
{
    private sealed record Aliases(Utf8Text? Main, List<Utf8Text> Alternatives);

    /// <summary>The line of <c>m.room.canonical_alias</c>, which without a main alias removes it.</summary>
    public static bool Canonical(RenderContext context) => context.ChangeSentence(
        static (content, types) => new Aliases(types.NonEmpty(content["alias"u8]), types.Strings(content["alt_aliases"u8])),
        static (current, previous) => Prose.Join(previous is null ? DescribeAll(current) : DescribeChanges(previous, current))
            ?? "set the aliases again (nothing changed)"u8);

    /// <summary>The line of <c>m.room.aliases</c>, in which each server used to publish its own aliases of the room.</summary>
    public static bool OfServer(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.Strings(content["aliases"u8]),
        (current, previous) =>
        {
            var server = SafeText.ServerName(context.StateKey);
            return (previous, current) switch
            {
                (null, []) => $"removed the aliases of {server}",
                (null, _) => $"set the aliases of {server} to {List(current)}",
                _ => Prose.Join(DescribeDifference(Prose.Except(current, previous), Prose.Except(previous, current)))
                    ?? $"set the aliases of {server} again (nothing changed)",
            };
        });

    private static Phrase?[] DescribeAll(Aliases current)
    {
        var alternatives = Prose.Except(current.Alternatives, [current.Main ?? default]);
        return (current.Main, alternatives) switch
        {
            (null, []) => ["removed the main alias"u8],
            (null, _) => [$"set the aliases to {List(alternatives)}, without a main one"],
            ({ } main, []) => [$"set the main alias to {SafeText.RoomAlias(main)}"],
            ({ } main, _) => [$"set the main alias to {SafeText.RoomAlias(main)}", $"the other aliases to {List(alternatives)}"],
        };
    }

    private static Phrase?[] DescribeChanges(Aliases previous, Aliases current)
    {
        // The main alias may be among the alternatives, and is fully described already.
        var main = Prose.Change("the main alias"u8, previous.Main, current.Main, SafeText.RoomAlias);
        var added = Prose.Except(current.Alternatives, [.. previous.Alternatives, current.Main ?? default]);
        var removed = Prose.Except(
            previous.Alternatives, [.. current.Alternatives, previous.Main ?? default, current.Main ?? default]);
        return [main, .. DescribeDifference(added, removed)];
    }

    private static Phrase?[] DescribeDifference(List<Utf8Text> added, List<Utf8Text> removed)
    {
        return [Describe("added"u8, added), Describe("removed"u8, removed)];

        static Phrase? Describe(ReadOnlySpan<byte> verb, List<Utf8Text> aliases) => aliases.Count == 0
            ? Phrase.None
            : $"{verb} the {(aliases.Count == 1 ? "alias"u8 : "aliases"u8)} {List(aliases)}";
    }

    private static Phrase List(List<Utf8Text> aliases) => Prose.List(aliases, SafeText.RoomAlias);
}
