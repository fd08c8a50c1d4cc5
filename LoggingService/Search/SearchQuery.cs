namespace LoggingService.Search;

/// <summary>What is searched for.</summary>
/// <param name="Terms">All of them are in an event that is found.</param>
/// <param name="From">User ids, or their localparts; of any of them.</param>
/// <param name="In">Rooms, by id or alias; in any of them.</param>
/// <param name="Kinds">An event that is found has all of them.</param>
/// <param name="Before">The first day that is not searched any more.</param>
/// <param name="After">The first day that is searched.</param>
/// <param name="Ignored">Parts of the query that are not understood, such as <c>before:yesterday</c>, as they were typed.</param>
internal sealed record SearchQuery(
    IReadOnlyList<SearchTerm> Terms, IReadOnlyList<string> From, IReadOnlyList<string> In, HitKinds Kinds,
    DateOnly? Before, DateOnly? After, IReadOnlyList<string> Ignored)
{
    /// <summary>The parts of the query in the language of FTS5; <c>null</c> without words.</summary>
    public string? Expression => Terms.Count == 0 ? null : string.Join(" AND ", Terms.Select(term => term.Expression));

    /// <summary>As above, where any word counts.</summary>
    public string? AnyExpression => Terms.Count == 0 ? null : string.Join(" OR ", Terms.Select(term => term.Expression));

    /// <summary>There is nothing to search for.</summary>
    public bool IsEmpty =>
        Terms.Count == 0 && From.Count == 0 && In.Count == 0 && Kinds == HitKinds.None && Before is null && After is null;
}

/// <summary>A word, a phrase, or the start of one.</summary>
/// <param name="Text">As it was typed, without quotes.</param>
internal readonly record struct SearchTerm(string Text, bool IsPrefix)
{
    /// <summary>A string of FTS5, whose words must follow each other: it has no operators.</summary>
    public string Expression
    {
        get
        {
            // A single character at the end may begin a pair.
            var isPrefix = IsPrefix || SpacedText.EndsWithOneOfPairs(Text);
            return $"\"{SpacedText.OfQuery(Text).Replace("\"", "\"\"")}\"{(isPrefix ? "*" : "")}";
        }
    }
}
