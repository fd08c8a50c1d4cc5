namespace LoggingService.PythonRegex;

/// <summary>A set of characters in brackets, as Python writes it: a bracket in it is a bracket, and there is no subtraction.</summary>
internal static class PythonBrackets
{
    /// <summary>Reads what follows the opening bracket, up to the closing one.</summary>
    /// <param name="source">The pattern.</param>
    /// <param name="flags">The flags that are set.</param>
    /// <exception cref="FormatException">It has no end, or a range or an escape is wrong.</exception>
    public static PythonSet Read(PythonSource source, PythonFlags flags)
    {
        var start = source.Position - 1;
        var (characters, categories) = (PythonSet.None, PythonSet.None);
        var negated = source.TryTake("^");
        for (var isFirst = true; isFirst || !source.TryTake("]"); isFirst = false)
        {
            var from = source.Position;
            var first = Member(source, start, flags, out var category);
            var last = first;
            if (source.TryTake("-"))
            {
                if (source.Next == "]")
                {
                    characters = characters.Or(PythonSet.Range('-', '-'));
                }
                else
                {
                    last = Member(source, start, flags, out var otherCategory);
                    if (category is not null || otherCategory is not null || last < first)
                    {
                        throw PythonSource.Refused(from, $"bad character range {source.Since(from)}");
                    }
                }
            }

            characters = category is null ? characters.Or(PythonSet.Range(first, last)) : characters;
            categories = category is null ? categories : categories.Or(category);
        }

        if (flags.HasFlag(PythonFlags.IgnoreCase))
        {
            characters = characters.InBothCases(flags.HasFlag(PythonFlags.Ascii));
        }

        var set = characters.Or(categories);
        return negated ? set.Not() : set;
    }

    /// <summary>One character, or the set that an escape stands for.</summary>
    private static int Member(PythonSource source, int start, PythonFlags flags, out PythonSet? category)
    {
        var next = source.Take() ?? throw PythonSource.Refused(start, "unterminated character set");
        if (next[0] != '\\')
        {
            category = null;
            return PythonEscape.CodePoint(next);
        }

        category = PythonEscape.Category(next[1], flags.HasFlag(PythonFlags.Ascii));
        return category is not null ? 0 : next[1] == 'b' ? '\b' : PythonEscape.CodePoint(source, next);
    }
}
