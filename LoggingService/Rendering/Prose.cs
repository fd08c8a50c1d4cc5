namespace LoggingService.Rendering;

/// <summary>Lists and counts in sentences.</summary>
internal static class Prose
{
    /// <summary><c>a</c>, <c>a and b</c>, <c>a, b and c</c>.</summary>
    public static string Join(IReadOnlyList<string> parts) =>
        parts.Count < 2 ? string.Concat(parts) : $"{string.Join(", ", parts.Take(parts.Count - 1))} and {parts[^1]}";

    /// <summary><c>1 event</c>, <c>2 events</c>.</summary>
    public static string Pluralize(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    /// <summary><c>a, b, c</c>: for ids and names that contain no comma.</summary>
    public static string List(IEnumerable<string> names) => string.Join(", ", names);

    /// <summary>The strings of the first list that the second does not contain, each once.</summary>
    public static List<string> Except(IEnumerable<string> first, IEnumerable<string> second) => [.. first.Except(second)];
}
