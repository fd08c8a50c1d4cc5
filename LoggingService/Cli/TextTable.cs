using System.Globalization;

namespace LoggingService.Cli;

/// <summary>A table on standard output.</summary>
internal static class TextTable
{
    /// <param name="rows">The first one has the names of the columns.</param>
    /// <param name="numbers">The columns that are aligned to the right.</param>
    public static void Write(IReadOnlyList<string[]> rows, IReadOnlyList<int> numbers)
    {
        var widths = rows[0].Select((_, i) => rows.Max(row => row[i].Length)).ToList();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, i) => numbers.Contains(i) ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            Console.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    /// <summary>As <c>ls -h</c>: in units of 1,024.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var unit = 0;
        double size = bytes;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {units[unit]}");
    }
}
