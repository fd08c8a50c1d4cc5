namespace LoggingService.Options;

/// <summary>Finds the name that a misspelled one was meant to be.</summary>
internal static class NearestName
{
    private const int MaxEdits = 2;

    /// <summary>
    /// The candidate with the fewest edits, at most two, and at most half of its letters; case, <c>_</c> and <c>-</c> do not count.
    /// <c>null</c> if there is none.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        var (best, edits) = candidates
            .Select(candidate => (candidate, CountEdits(Normalize(name), Normalize(candidate))))
            .MinBy(pair => pair.Item2);
        return best is not null && edits <= Math.Min(MaxEdits, best.Length / 2) ? best : null;
    }

    /// <summary>The letters and digits of a name in lower case.</summary>
    public static string Normalize(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>The optimal string alignment distance: insertions, deletions, substitutions, transpositions of neighbours.</summary>
    private static int CountEdits(string a, string b)
    {
        var edits = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    edits[i, j] = i + j;
                    continue;
                }

                var substitution = edits[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(substitution, Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[a.Length, b.Length];
    }
}
