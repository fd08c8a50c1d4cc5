using System.Globalization;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// The size and the result of a reliability test. <c>dotnet test</c> runs the short form; <c>scripts/reliability</c> the full
/// form, whose rows are the table in docs/engineering/reliability.md.
/// </summary>
internal static class Trial
{
    /// <summary>The size of a test: all tests in the short form together take some minutes.</summary>
    public static int Scale(int inShort, int inFull) =>
        Environment.GetEnvironmentVariable("RELIABILITY") == "full" ? inFull : inShort;

    /// <summary>Reports a row of the table, and fails if acknowledged events were lost or duplicated.</summary>
    /// <param name="fault">The kind of fault.</param>
    /// <param name="method">How the test produced the fault.</param>
    /// <param name="rounds">How often.</param>
    /// <param name="events">The number of acknowledged events that were checked.</param>
    /// <param name="lost">Those that were missing.</param>
    /// <param name="duplicated">Those that were logged more than once.</param>
    public static void Report(string fault, string method, long rounds, long events, long lost, long duplicated)
    {
        var row = string.Create(
            CultureInfo.InvariantCulture, $"| {fault} | {method} | {rounds:N0} | {events:N0} | {lost} | {duplicated} |");
        TestContext.Current.TestOutputHelper!.WriteLine(row);
        if (Environment.GetEnvironmentVariable("RELIABILITY_TABLE") is { Length: > 0 } table)
            File.AppendAllLines(table, [row]);
        Assert.True(rounds > 0 && events > 0, row);
        Assert.True(lost == 0 && duplicated == 0, row);
    }
}
