namespace LoggingService.Rendering;

internal static class Prose
{
    /// <summary><c>a</c>, <c>a and b</c>, <c>a, b and c</c>; <c>null</c> if all parts are.</summary>
    public static Phrase? Join(IEnumerable<Phrase?> parts)
    {
        Phrase[] present = [.. parts.OfType<Phrase>()];
        return present.Length < 2 ? present.FirstOrDefault() : $"{List(present[..^1])} and {present[^1]}";
    }

    /// <summary><c>set x to b</c>, <c>removed x a</c>, <c>changed x from a to b</c>; <c>null</c> if nothing changed.</summary>
    public static Phrase? Change(ReadOnlySpan<byte> subject, Utf8Text? from, Utf8Text? to, Func<Utf8Text, SafeText> format) =>
        (from, to) switch
        {
            _ when from == to => Phrase.None,
            (null, { } added) => $"set {subject} to {format(added)}",
            ({ } removed, null) => $"removed {subject} {format(removed)}",
            ({ } before, { } after) => $"changed {subject} from {format(before)} to {format(after)}",
            _ => Phrase.None,
        };

    /// <summary><c>1 event</c>, <c>2 events</c>.</summary>
    public static Phrase Pluralize(long count, ReadOnlySpan<byte> noun) => $"{count} {noun}{(count == 1 ? ""u8 : "s"u8)}";

    /// <summary><c>a, b, c</c>: for ids and names that contain no comma.</summary>
    public static Phrase List(IEnumerable<Utf8Text> names, Func<Utf8Text, SafeText> format) =>
        List(names.Select(name => (Phrase)format(name)));

    /// <summary>The same; empty if there are no parts.</summary>
    public static Phrase List(IEnumerable<Phrase?> parts, string separator = ", ")
    {
        Phrase list = ""u8;
        foreach (var part in parts.OfType<Phrase>())
        {
            if (!list.Span.IsEmpty)
            {
                list.AppendLiteral(separator);
            }

            list.AppendFormatted(part);
        }

        return list;
    }

    /// <summary>The texts of the first list that the second does not contain, each once.</summary>
    public static List<Utf8Text> Except(IEnumerable<Utf8Text> first, IEnumerable<Utf8Text> second) => [.. first.Except(second)];
}
