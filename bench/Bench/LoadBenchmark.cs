using static Bench.Report;
using Written = System.Collections.Generic.Dictionary<(Bench.Contender, string Scenario), (long Bytes, long Events)>;

namespace Bench;

/// <summary>Runs the scenarios in rounds, each contender once per round.</summary>
internal static class LoadBenchmark
{
    /// <summary>Runs each scenario for an unmeasured round of length <paramref name="settle"/>, then for the measured rounds.</summary>
    public static async Task RunAsync(
        Contender[] contenders, IReadOnlyList<Scenario> scenarios, int rounds, TimeSpan warmUp, TimeSpan settle, TimeSpan duration)
    {
        var written = new Written();
        foreach (var contender in contenders)
        {
            await contender.StartAsync();
            await WarmUpAsync(contender, scenarios, warmUp, written);
        }

        foreach (var scenario in scenarios)
        {
            await RunAsync(contenders.Where(scenario.IsSupportedBy).ToList(), scenario, rounds, settle, duration, written);
        }

        Table(
            ["after all scenarios", "memory", "bytes on disk"],
            contenders.Select(c => new[] { c.Name, Text($"{c.Megabytes():0} MB"), Text($"{c.Bytes() / 1e6:0} MB") }));
    }

    // JIT compilers must have seen every scenario. They optimize in steps, hence twice.
    private static async Task WarmUpAsync(Contender contender, IReadOnlyList<Scenario> scenarios, TimeSpan duration, Written written)
    {
        var supported = scenarios.Where(scenario => scenario.IsSupportedBy(contender)).ToList();
        foreach (var scenario in supported.Concat(supported))
        {
            var before = contender.Bytes();
            var result = await scenario.RunAsync(contender, duration / 2 / supported.Count);
            var (bytes, events) = written.GetValueOrDefault((contender, scenario.Name));
            written[(contender, scenario.Name)] = (bytes + contender.Bytes() - before, events + result.Events);
        }
    }

    private static async Task RunAsync(
        List<Contender> contenders, Scenario scenario, int rounds, TimeSpan settle, TimeSpan duration, Written written)
    {
        var random = new Random(contenders.Count);
        var results = contenders.ToDictionary(c => c, _ => new List<Scenario.Result>());

        // Counted from the scenario's first event, in the warm-up: the last block of a file is allocated before it is full.
        var bytes = contenders.ToDictionary(c => c, c => written[(c, scenario.Name)].Bytes - c.Bytes());
        var events = contenders.ToDictionary(c => c, c => written[(c, scenario.Name)].Events);
        for (var round = -1; round < rounds; round++)
        {
            // The first round reopens the scenario's rooms. The order is shuffled: background work of a contender falls into
            // the turn of the next one.
            var turns = contenders.ToArray();
            random.Shuffle(turns);
            foreach (var contender in turns)
            {
                var result = await scenario.RunAsync(contender, round < 0 ? settle : duration);
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
        Table(
            ["LoggingService to", "events/s", "p50", "p95", "p99", "CPU per event", "bytes on disk per event"],
            contenders.Skip(1).Select<Contender, string[]>(c =>
            [
                c.Name,
                .. Scenario.Figures.Select(figure => Ratio(ours.Select(figure.Select), results[c].Select(figure.Select))),
                OnDisk(onDisk[contenders[0]] / onDisk[c], "0.00"),
            ]));
        Table(
            ["", "events/s", "p50", "p95", "p99", "CPU, 100,000 events", "bytes on disk per event"],
            contenders.Select<Contender, string[]>(c =>
            [
                c.Name,
                .. Scenario.Figures.Select(figure => Absolute(Median(results[c].Select(figure.Select)), figure.Format, figure.Unit)),
                OnDisk(onDisk[c], "#,0"),
            ]));

        string Absolute(double value, string format, string unit) => Text($"{value.ToString(format)}{unit}");

        // Alias queries write no events.
        string OnDisk(double value, string format) => scenario.Events > 0 ? Absolute(value, format, "") : "";
    }
}
