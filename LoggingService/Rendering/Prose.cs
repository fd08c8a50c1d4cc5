namespace LoggingService.Rendering;

/// <summary>How the service's sentences list and count.</summary>
internal static class Prose
{
    /// <summary><c>a</c>, <c>a and b</c>, <c>a, b and c</c>.</summary>
    public static string Join(IReadOnlyList<string> parts) =>
        parts.Count < 2 ? string.Concat(parts) : $"{string.Join(", ", parts.Take(parts.Count - 1))} and {parts[^1]}";

    /// <summary><c>1 event</c>, <c>2 events</c>.</summary>
    public static string Pluralize(int number, string noun) => number == 1 ? $"1 {noun}" : $"{number} {noun}s";

    /// <summary>Ids or names that hold no comma of their own: <c>a, b, c</c>.</summary>
    public static string List(IEnumerable<string> names) => string.Join(", ", names);

    /// <summary>What the first list has and the second lacks, each once.</summary>
    public static List<string> Except(IEnumerable<string> first, IEnumerable<string> second) => [.. first.Except(second, StringComparer.Ordinal)];
}
