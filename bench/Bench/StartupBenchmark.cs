using static Bench.Report;

namespace Bench;

/// <summary>Measures the time to the first response and the idle memory.</summary>
internal static class StartupBenchmark
{
    /// <summary>Starts each contender once per round, while no other runs, and prints the tables.</summary>
    public static async Task RunAsync(Contender[] contenders, int rounds, TimeSpan idle)
    {
        var starts = contenders.ToDictionary(c => c, _ => new List<double>());
        var memory = contenders.ToDictionary(c => c, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var contender in contenders)
            {
                starts[contender].Add(await contender.StartAsync());
                await Task.Delay(idle);
                memory[contender].Add(contender.Megabytes());
                contender.Dispose();
            }
        }

        var ours = contenders[0];
        Table(
            ["LoggingService to", "start to first 200", "memory, idle"],
            contenders.Skip(1).Select(c => new[] { c.Name, Ratio(starts[ours], starts[c]), Ratio(memory[ours], memory[c]) }));
        Table(
            ["", "start to first 200", "memory, idle"],
            contenders.Select(c => new[] { c.Name, Text($"{Median(starts[c]):0.00} s"), Text($"{Median(memory[c]):0} MB") }));
    }
}
