namespace LoggingService.Rendering;

internal static class Prose
{
    /// <summary><c>a</c>, <c>a and b</c>, <c>a, b and c</c>; <c>null</c> if all parts are.</summary>
    public static string? Join(IEnumerable<string?> parts)
    {
        string[] present = [.. parts.OfType<string>()];
        return present.Length < 2 ? present.FirstOrDefault() : $"{string.Join(", ", present[..^1])} and {present[^1]}";
    }

    /// <summary><c>set x to b</c>, <c>removed x a</c>, <c>changed x from a to b</c>; <c>null</c> if nothing changed.</summary>
    public static string? Change(string subject, string? from, string? to, Func<string, string> format) => (from, to) switch
    {
        _ when from == to => null,
        (null, { } added) => $"set {subject} to {format(added)}",
        ({ } removed, null) => $"removed {subject} {format(removed)}",
        _ => $"changed {subject} from {format(from!)} to {format(to!)}",
    };

    /// <summary><c>1 event</c>, <c>2 events</c>.</summary>
    public static string Pluralize(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    /// <summary><c>a, b, c</c>: for ids and names that contain no comma.</summary>
    public static string List(IEnumerable<string> names) => string.Join(", ", names);

    /// <summary>The strings of the first list that the second does not contain, each once.</summary>
    public static List<string> Except(IEnumerable<string> first, IEnumerable<string> second) => [.. first.Except(second)];
}
