using System.Globalization;

namespace Bench;

/// <summary>Formats the tables. A ratio compares two contenders round by round: median (least–most).</summary>
internal static class Report
{
    /// <summary>Writes a Markdown table, unless it has no rows.</summary>
    public static void Table(string[] head, IEnumerable<string[]> rows)
    {
        var lines = rows.Select(row => $"| {string.Join(" | ", row)} |").ToList();
        if (lines.Count == 0)
        {
            return;
        }

        Console.WriteLine($"| {string.Join(" | ", head)} |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", head.Length))}");
        lines.ForEach(Console.WriteLine);
        Console.WriteLine();
    }

    /// <summary>Formats the ratios of each round, such as <c>1.02 (0.97–1.10)</c>.</summary>
    public static string Ratio(IEnumerable<double> ours, IEnumerable<double> theirs)
    {
        var ratios = ours.Zip(theirs, (our, their) => our / their).Order().ToList();
        return Text($"{Median(ratios):0.00} ({ratios[0]:0.00}–{ratios[^1]:0.00})");
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    public static double Percentile(double[] sorted, double fraction) =>
        sorted[Math.Max(0, (int)Math.Ceiling(fraction * sorted.Length) - 1)];

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
