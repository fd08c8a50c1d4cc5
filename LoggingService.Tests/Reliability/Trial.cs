using System.Globalization;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// What a promise was tried with. <c>dotnet test</c> runs the short form of each; <c>scripts/reliability</c> the full one,
/// whose rows are the table in docs/engineering/reliability.md.
/// </summary>
internal static class Trial
{
    /// <summary>How much of something a test does.</summary>
    /// <param name="inShort">In <c>dotnet test</c>, where all of these tests together have some minutes.</param>
    /// <param name="inFull">In <c>scripts/reliability</c>.</param>
    public static int Scale(int inShort, int inFull) => Environment.GetEnvironmentVariable("RELIABILITY") == "full" ? inFull : inShort;

    /// <summary>Says what was tried, and holds it to the promise: nothing lost, nothing twice.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="how">How it was made to go wrong.</param>
    /// <param name="rounds">How often.</param>
    /// <param name="events">Acknowledged events that were looked for afterwards.</param>
    /// <param name="lost">Those that were not there.</param>
    /// <param name="twice">Those that were there more than once.</param>
    public static void Report(string fault, string how, long rounds, long events, long lost, long twice)
    {
        var row = string.Create(CultureInfo.InvariantCulture, $"| {fault} | {how} | {rounds:N0} | {events:N0} | {lost} | {twice} |");
        TestContext.Current.TestOutputHelper!.WriteLine(row);
        if (Environment.GetEnvironmentVariable("RELIABILITY_TABLE") is { Length: > 0 } table)
            File.AppendAllLines(table, [row]);
        Assert.True(rounds > 0 && events > 0, row);
        Assert.True(lost == 0 && twice == 0, row);
    }
}
