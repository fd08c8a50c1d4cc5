using System.Globalization;

namespace LoggingService.Erasure;

/// <summary>Reports as text.</summary>
internal static class ErasureText
{
    /// <summary>The start of the result of a request that failed.</summary>
    public const string Failed = "Failed: ";

    /// <summary>The start of a line about what can't be read.</summary>
    private const string NotRead = "Can't be read: ";

    /// <summary>Rooms that are done are left out, removed lines are gone, and stubs of other erasures count again.</summary>
    private const string Repeated = "Repeated after an interruption or a failure: the numbers are those of the last attempt.";

    /// <summary>Whether a result says that everything was reached.</summary>
    public static bool IsComplete(IEnumerable<string> result) => !result.Any(line =>
        line.StartsWith(Failed, StringComparison.Ordinal) || line.StartsWith(NotRead, StringComparison.Ordinal));

    /// <summary>A line for each day, and a summary.</summary>
    /// <param name="nameOf">The name of a room to show, by its folder.</param>
    public static IEnumerable<string> Plan(ErasureReport report, Func<string, string> nameOf)
    {
        List<string[]> rows = [["ROOM", "DAY", "ERASED", "QUOTING"]];
        foreach (var day in report.Days)
        {
            rows.Add(
            [
                nameOf(day.Room), day.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Number(day.Erased), Number(day.Quoting),
            ]);
        }

        var widths = Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(row => row[i].Length)).ToList();
        foreach (var row in report.Days.Count > 0 ? rows : [])
        {
            yield return string.Join("  ", row.Select((cell, i) => i < 2 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])));
        }

        yield return $"{Summary(report)} would be erased.";
        foreach (var sentence in report.NotRead)
        {
            yield return NotRead + sentence;
        }
    }

    public static IEnumerable<string> Result(ErasureReport report) =>
    [
        $"Erased: {Summary(report)}.",
        .. report.IsRepeated ? [Repeated] : Array.Empty<string>(),
        .. report.Failures.Select(sentence => Failed + sentence),
        .. report.NotRead.Select(sentence => NotRead + sentence),
        "Not reached: backups and exports of the logs, the service's own log if it shows room activity, and the homeserver, which has its "
            + "own copies.",
        "Not reached: words that others wrote again in messages of their own.",
    ];

    private static string Summary(ErasureReport report)
    {
        var text = $"{Count(report.Erased, "line")} on {Count(report.Days.Count, "day")} of {Count(report.Rooms, "room")}";
        text += report.Quoting > 0 ? $", and what {Count(report.Quoting, "other line")} may quote of them" : "";
        return report.Quarantined > 0 ? $"{text}, and {Count(report.Quarantined, "part")} of the quarantine" : text;
    }

    private static string Count(int number, string noun) => $"{Number(number)} {noun}{(number == 1 ? "" : "s")}";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
