using System.Globalization;

namespace Bench;

/// <summary>The tables: each figure as a ratio to another contender's of the same round, median (least–most); absolute ones only beside.</summary>
internal static class Report
{
    /// <summary>Writes a Markdown table.</summary>
    public static void Table(string[] head, IEnumerable<string[]> rows)
    {
        Console.WriteLine($"| {string.Join(" | ", head)} |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", head.Length))}");
        foreach (var row in rows)
        {
            Console.WriteLine($"| {string.Join(" | ", row)} |");
        }

        Console.WriteLine();
    }

    /// <summary>Ratios round by round: <c>1.02 (0.97–1.10)</c>.</summary>
    public static string Ratio(IEnumerable<double> ours, IEnumerable<double> theirs)
    {
        var ratios = ours.Zip(theirs, (one, other) => one / other).Order().ToList();
        return Text($"{Median(ratios):0.00} ({ratios[0]:0.00}–{ratios[^1]:0.00})");
    }

    /// <summary>The one in the middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>Text with numbers as they are written everywhere.</summary>
    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
