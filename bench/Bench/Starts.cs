using static Bench.Report;

namespace Bench;

/// <summary>How long a contender takes to its first answer, and what it holds when it has nothing to do.</summary>
internal static class Starts
{
    /// <summary>Starts each some times, while no other runs, and prints what it took.</summary>
    public static async Task RunAsync(Contender[] contenders, int rounds, TimeSpan idle)
    {
        var (starts, memory) = (contenders.ToDictionary(c => c, _ => new List<double>()), contenders.ToDictionary(c => c, _ => new List<double>()));
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

        Table(["LoggingService to", "start to first 200", "memory, idle"], contenders.Skip(1).Select(c => new[] { c.Name, Ratio(starts[contenders[0]], starts[c]), Ratio(memory[contenders[0]], memory[c]) }));
        Table(["", "start to first 200", "memory, idle"], contenders.Select(c => new[] { c.Name, Text($"{Median(starts[c]):0.00} s"), Text($"{Median(memory[c]):0} MB") }));
    }
}
