using System.Diagnostics;
using static Bench.Report;

namespace Bench;

/// <summary>Measures memory, disk and latency over very many events in very many rooms.</summary>
internal static class GrowthBenchmark
{
    private const int Tenths = 10;

    /// <summary>
    /// Restarts the contenders, sends a tenth of the events to each in turn, and prints every tenth. After the time limit, no
    /// contender gets more events.
    /// </summary>
    public static async Task RunAsync(Contender[] contenders, int events, int rooms, TimeSpan limit)
    {
        var runs = new List<Run>();
        foreach (var contender in contenders)
        {
            contender.Dispose();
            await contender.StartAsync();
            var warmUp = Scenario.All.First(scenario => scenario is { Events: 100, Rooms: 100 });
            await warmUp.RunAsync(contender, TimeSpan.FromSeconds(3));
            runs.Add(new(contender, new BodyTemplate(100, rooms)));
        }

        var clock = Stopwatch.StartNew();
        for (var tenth = 0; tenth < Tenths; tenth++)
        {
            foreach (var run in runs)
            {
                await run.SendAsync(tenth * (events / Tenths), events / Tenths, () => clock.Elapsed < limit);
            }
        }

        Console.WriteLine(Text($"### {events:#,0} events in {rooms:#,0} rooms, 100 per transaction\n"));
        var ours = runs[0];
        Table(
            ["LoggingService to", "events/s", "p50", "memory", "bytes on disk per event"],
            runs.Skip(1).Where(run => run.Tenths.Count > 0).Select(run => new[]
            {
                run.Name,
                RatioTo(run, tenth => tenth.EventsPerSecond),
                RatioTo(run, tenth => tenth.Median),
                RatioTo(run, tenth => tenth.Megabytes),
                RatioTo(run, tenth => tenth.BytesPerEvent),
            }));
        Table(
            ["last tenth to first", "tenths", "events/s", "p50", "memory", "memory growth per event"],
            runs.Where(run => run.Tenths.Count > 1).Select(run => new[]
            {
                run.Name,
                Text($"{run.Tenths.Count}"),
                Growth(run, tenth => tenth.EventsPerSecond),
                Growth(run, tenth => tenth.Median),
                Growth(run, tenth => tenth.Megabytes),
                Text($"{BytesPerEvent(run):0} bytes"),
            }));
        ByTenths("events/s", runs, tenth => tenth.EventsPerSecond);
        ByTenths("p50 of a transaction, µs", runs, tenth => tenth.Median * 1000);
        ByTenths("memory, MB", runs, tenth => tenth.Megabytes);
        ByTenths("bytes on disk per event", runs, tenth => tenth.BytesPerEvent);

        string RatioTo(Run run, Func<Tenth, double> figure) => Ratio(ours.Tenths.Select(figure), run.Tenths.Select(figure));

        double BytesPerEvent(Run run)
        {
            var growth = (run.Tenths[^1].Megabytes - run.Tenths[0].Megabytes) * (1 << 20);
            return growth / ((run.Tenths.Count - 1) * (events / Tenths));
        }
    }

    private static string Growth(Run run, Func<Tenth, double> figure) => Text($"{figure(run.Tenths[^1]) / figure(run.Tenths[0]):0.00}");

    private static void ByTenths(string name, List<Run> runs, Func<Tenth, double> figure) =>
        Table([name, .. Enumerable.Range(1, Tenths).Select(i => $"{i}")], runs.Select<Run, string[]>(run =>
        [
            run.Name,
            .. run.Tenths.Select(figure).Select(value => Text($"{value:#,0}")),
            .. Enumerable.Repeat("", Tenths - run.Tenths.Count),
        ]));

    private sealed record Tenth(double EventsPerSecond, double Median, double Megabytes, double BytesPerEvent);

    /// <summary>A contender with its measurements.</summary>
    private sealed class Run(Contender contender, BodyTemplate template)
    {
        private readonly long _bytesBefore = contender.Bytes();

        public string Name => contender.Name;

        public List<Tenth> Tenths { get; } = [];

        public async Task SendAsync(long first, int events, Func<bool> canContinue)
        {
            using var connection = new Connection(contender.Port);
            var latencies = new List<double>();
            var end = first + events;
            var clock = Stopwatch.StartNew();
            while (first < end && canContinue())
            {
                var start = Stopwatch.GetTimestamp();
                await connection.PutAsync($"growth{first}", template.Fill(first));
                latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                first += template.Events;
            }

            clock.Stop();
            if (first >= end)
            {
                var bytesPerEvent = (contender.Bytes() - _bytesBefore) / (double)end;
                Tenths.Add(new(events / clock.Elapsed.TotalSeconds, Median(latencies), contender.Megabytes(), bytesPerEvent));
            }
        }
    }
}
