using static Bench.Report;

namespace Bench;

/// <summary>The scenarios, in rounds in which each contender has its turn.</summary>
internal static class Load
{
    /// <summary>Runs them and prints their tables.</summary>
    public static async Task RunAsync(Contender[] contenders, IReadOnlyList<Scenario> scenarios, int rounds, TimeSpan warmUp, TimeSpan settle, TimeSpan time)
    {
        foreach (var contender in contenders)
        {
            await contender.StartAsync();
            await WarmUpAsync(contender, scenarios, warmUp);
        }

        foreach (var scenario in scenarios)
        {
            await RunAsync(contenders.Where(scenario.IsFor).ToList(), scenario, rounds, settle, time);
        }

        Table(["after all that", "memory", "bytes on disk"], contenders.Select(c => new[] { c.Name, Text($"{c.Megabytes():0} MB"), Text($"{c.Bytes() / 1e6:0} MB") }));
    }

    // Compilers that learn while they run must have seen all that is measured. They learn in steps, hence twice.
    private static async Task WarmUpAsync(Contender contender, IReadOnlyList<Scenario> scenarios, TimeSpan time)
    {
        var those = scenarios.Where(scenario => scenario.IsFor(contender)).ToList();
        foreach (var scenario in those.Concat(those))
        {
            await scenario.RunAsync(contender, time / 2 / those.Count);
        }
    }

    private static async Task RunAsync(List<Contender> contenders, Scenario scenario, int rounds, TimeSpan settle, TimeSpan time)
    {
        var results = contenders.ToDictionary(c => c, _ => new List<Scenario.Result>());
        var (bytes, events) = (contenders.ToDictionary(c => c, c => -c.Bytes()), contenders.ToDictionary(c => c, _ => 0L));
        for (var round = -1; round < rounds; round++)
        {
            // The first round brings the scenario's rooms back to mind. Who begins, changes.
            foreach (var contender in contenders.Skip((round + 1) % contenders.Count).Concat(contenders.Take((round + 1) % contenders.Count)))
            {
                var result = await scenario.RunAsync(contender, round < 0 ? settle : time);
                events[contender] += result.Events;
                if (round >= 0)
                {
                    results[contender].Add(result);
                }
            }
        }

        // Queries for aliases are no events.
        var onDisk = contenders.ToDictionary(c => c, c => scenario.Events > 0 ? (double)(bytes[c] + c.Bytes()) / events[c] : double.NaN);
        Console.WriteLine($"### {scenario.Name}\n");
        var ours = results[contenders[0]];
        Table(["LoggingService to", "events/s", "p50", "p95", "p99", "CPU an event", "bytes on disk an event"], contenders.Skip(1).Select<Contender, string[]>(c =>
        [
            c.Name, .. Scenario.Figures.Select(figure => Ratio(ours.Select(figure.Of), results[c].Select(figure.Of))), Text($"{onDisk[contenders[0]] / onDisk[c]:0.00}"),
        ]));
        Table(["", "events/s", "p50", "p95", "p99", "CPU, 100,000 events", "bytes on disk an event"], contenders.Select<Contender, string[]>(c =>
        [
            c.Name, .. Scenario.Figures.Select(figure => Text($"{Median(results[c].Select(figure.Of)).ToString(figure.Format)}{figure.Unit}")), Text($"{onDisk[c]:#,0}"),
        ]));
    }
}
