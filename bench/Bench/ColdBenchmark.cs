using static Bench.Report;

namespace Bench;

/// <summary>Measures a fresh process: start, memory when idle, and the first 40,000 events.</summary>
internal static class ColdBenchmark
{
    private const int InTens = 10_000;
    private const int InHundreds = 30_000;

    private static readonly (Func<Result, double> Select, string Name, string Format)[] Figures =
    [
        (result => result.StartSeconds, "start to first 200, s", "0.00"),
        (result => result.IdleMegabytes, "idle, MB", "0"),
        (result => result.Tens.EventsPerSecond, "10 × 10: events/s", "#,0"),
        (result => result.Tens.CpuSecondsPer100000, "CPU s, 100,000", "0.0"),
        (result => result.Hundreds.EventsPerSecond, "100 × 100: events/s", "#,0"),
        (result => result.Hundreds.CpuSecondsPer100000, "CPU s, 100,000", "0.0"),
        (result => result.EventsPerSecond, "40,000 events: events/s", "#,0"),
    ];

    /// <summary>Starts each contender once per round, while no other runs.</summary>
    public static void Run(Contender[] contenders, Goals goals, int rounds, TimeSpan idle)
    {
        var results = contenders.ToDictionary(c => c, _ => new List<Result>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var contender in contenders)
            {
                contender.Dispose();
                var start = contender.Start();
                Thread.Sleep(idle);
                var memory = contender.Megabytes();
                var tens = new Load(contender, Scenario.Tens).Run(InTens);
                var hundreds = new Load(contender, Scenario.Hundreds).Run(InHundreds);
                contender.Dispose();
                var result = new Result(start, memory, tens, hundreds);
                results[contender].Add(result);
                goals.Add(Goals.Cold, contender, result.EventsPerSecond);
            }
        }

        Console.WriteLine($"### {Goals.Cold}, 10,000 of them in tens\n");
        Table(["", .. Figures.Select(figure => figure.Name)], contenders.Select<Contender, string[]>(c =>
            [c.Name, .. Figures.Select(figure => Median(results[c].Select(figure.Select)).ToString(figure.Format))]));
        var ours = results[contenders[0]];
        Table([$"{contenders[0].Name} to", .. Figures.Select(figure => figure.Name)], contenders.Skip(1).Select<Contender, string[]>(c =>
            [c.Name, .. Figures.Select(figure => Ratio(ours.Select(figure.Select), results[c].Select(figure.Select)))]));
    }

    private sealed record Result(double StartSeconds, double IdleMegabytes, Load.Result Tens, Load.Result Hundreds)
    {
        public double EventsPerSecond =>
            (InTens + InHundreds) / (InTens / Tens.EventsPerSecond + InHundreds / Hundreds.EventsPerSecond);
    }
}
