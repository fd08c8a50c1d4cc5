using static Bench.Report;
using Written = System.Collections.Generic.Dictionary<(Bench.Contender, string Scenario), (long Bytes, long Events)>;

namespace Bench;

/// <summary>The scenarios, in rounds in which each contender has its turn.</summary>
internal static class Load
{
    /// <summary>Runs them and prints their tables.</summary>
    public static async Task RunAsync(Contender[] contenders, IReadOnlyList<Scenario> scenarios, int rounds, TimeSpan warmUp, TimeSpan settle, TimeSpan time)
    {
        var written = new Written();
        foreach (var contender in contenders)
        {
            await contender.StartAsync();
            await WarmUpAsync(contender, scenarios, warmUp, written);
        }

        foreach (var scenario in scenarios)
        {
            await RunAsync(contenders.Where(scenario.IsFor).ToList(), scenario, rounds, settle, time, written);
        }

        Table(["after all that", "memory", "bytes on disk"], contenders.Select(c => new[] { c.Name, Text($"{c.Megabytes():0} MB"), Text($"{c.Bytes() / 1e6:0} MB") }));
    }

    // Compilers that learn while they run must have seen all that is measured. They learn in steps, hence twice.
    private static async Task WarmUpAsync(Contender contender, IReadOnlyList<Scenario> scenarios, TimeSpan time, Written written)
    {
        var those = scenarios.Where(scenario => scenario.IsFor(contender)).ToList();
        foreach (var scenario in those.Concat(those))
        {
            var before = contender.Bytes();
            var result = await scenario.RunAsync(contender, time / 2 / those.Count);
            var (bytes, events) = written.GetValueOrDefault((contender, scenario.Name));
            written[(contender, scenario.Name)] = (bytes + contender.Bytes() - before, events + result.Events);
        }
    }

    private static async Task RunAsync(List<Contender> contenders, Scenario scenario, int rounds, TimeSpan settle, TimeSpan time, Written written)
    {
        var random = new Random(contenders.Count);
        var results = contenders.ToDictionary(c => c, _ => new List<Scenario.Result>());
        // From the first event of the scenario on: a file's last block is there before it is full.
        var (bytes, events) = (contenders.ToDictionary(c => c, c => written[(c, scenario.Name)].Bytes - c.Bytes()), contenders.ToDictionary(c => c, c => written[(c, scenario.Name)].Events));
        for (var round = -1; round < rounds; round++)
        {
            // The first round brings the scenario's rooms back to mind. Who follows whom, changes: what one still has to do falls into the turn of the next.
            var turns = contenders.ToArray();
            random.Shuffle(turns);
            foreach (var contender in turns)
            {
                var result = await scenario.RunAsync(contender, round < 0 ? settle : time);
                events[contender] += result.Events;
                if (round >= 0)
                {
                    results[contender].Add(result);
                }
            }
        }

        var onDisk = contenders.ToDictionary(c => c, c => (double)(bytes[c] + c.Bytes()) / events[c]);
        Console.WriteLine($"### {scenario.Name}\n");
        var ours = results[contenders[0]];
        Table(["LoggingService to", "events/s", "p50", "p95", "p99", "CPU an event", "bytes on disk an event"], contenders.Skip(1).Select<Contender, string[]>(c =>
        [
            c.Name, .. Scenario.Figures.Select(figure => Ratio(ours.Select(figure.Of), results[c].Select(figure.Of))), OnDisk(onDisk[contenders[0]] / onDisk[c], "0.00"),
        ]));
        Table(["", "events/s", "p50", "p95", "p99", "CPU, 100,000 events", "bytes on disk an event"], contenders.Select<Contender, string[]>(c =>
        [
            c.Name, .. Scenario.Figures.Select(figure => Text($"{Median(results[c].Select(figure.Of)).ToString(figure.Format)}{figure.Unit}")), OnDisk(onDisk[c], "#,0"),
        ]));

        // Queries for aliases are no events.
        string OnDisk(double figure, string format) => scenario.Events > 0 ? Text($"{figure.ToString(format)}") : "";
    }
}
