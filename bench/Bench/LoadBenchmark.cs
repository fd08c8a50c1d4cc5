using static Bench.Report;

namespace Bench;

/// <summary>Runs the scenarios in rounds, each contender once per round.</summary>
internal sealed class LoadBenchmark(Contender[] contenders, Goals goals, int rounds, TimeSpan settle, TimeSpan duration)
{
    private const string Drain = "drain, ms";

    /// <summary>The time that a program may take to read the event ids of the rooms with a history.</summary>
    private static readonly TimeSpan HistoryTimeout = TimeSpan.FromMinutes(30);

    private static readonly (Func<Load.Result, double> Select, string Name, string Format)[] Figures =
    [
        (result => result.EventsPerSecond, "events/s in the files", "#,0"),
        (result => result.AcknowledgedPerSecond, "events/s acknowledged", "#,0"),
        (result => result.DrainMilliseconds, Drain, "0"),
        (result => result.Percentile(0.50), "p50, ms", "0.00"),
        (result => result.Percentile(0.95), "p95, ms", "0.00"),
        (result => result.Percentile(0.99), "p99, ms", "0.00"),
        (result => result.CpuSecondsPer100000, "CPU s, 100,000 events", "0.00"),
    ];

    /// <summary>Runs each scenario for an unmeasured round, then for the measured ones, in processes that have warmed up.</summary>
    /// <param name="scenarios">The scenarios.</param>
    /// <param name="warmUp">The time for each contender, over all scenarios.</param>
    /// <param name="history">Events a day of each room with a history.</param>
    public void RunSteady(IReadOnlyList<Scenario> scenarios, TimeSpan warmUp, int history)
    {
        var loads = new Dictionary<(Contender, Scenario), Load>();
        foreach (var contender in contenders)
        {
            var own = scenarios.Where(scenario => IsFor(scenario, contender)).ToList();
            foreach (var scenario in own.Where(scenario => scenario.HasHistory && contender.Kind == ContenderKind.Service))
            {
                History.Create(contender, scenario.Rooms, history);
            }

            contender.Start();
            foreach (var scenario in own)
            {
                loads[(contender, scenario)] = new Load(contender, scenario);
                if (scenario.HasHistory)
                {
                    OpenRooms(contender, loads[(contender, scenario)]);
                }
            }

            // JIT compilers must have seen every scenario. They optimize in steps, hence twice.
            foreach (var scenario in own.Concat(own))
            {
                loads[(contender, scenario)].Run(warmUp / 2 / own.Count);
            }
        }

        foreach (var scenario in scenarios)
        {
            Measure(scenario.Name, contenders.Where(c => IsFor(scenario, c)).ToArray(), (contender, round) =>
                loads[(contender, scenario)].Run(round < 0 ? settle : duration));
        }
    }

    /// <summary>Creates rooms in a new log folder in each round: on ext4 the cost of mkdir differs by parent folder.</summary>
    public void RunNewRooms() => Measure(Scenario.NewRooms.Name, contenders, (contender, _) =>
    {
        contender.Dispose();
        contender.Start();
        new Load(contender, Scenario.Tens).Run(2 * duration);
        return new Load(contender, Scenario.NewRooms).Run(duration);
    });

    private static bool IsFor(Scenario scenario, Contender contender) => !scenario.HasHistory || contender.Kind != ContenderKind.Peer;

    // A program may set aside a room that takes long until its next event.
    private static void OpenRooms(Contender contender, Load load)
    {
        using var connection = new Connection(contender.Port);
        var deadline = DateTime.UtcNow + HistoryTimeout;
        while (true)
        {
            load.SendNext(connection);
            try
            {
                load.WaitUntilWritten(TimeSpan.FromSeconds(10));
                return;
            }
            catch (TimeoutException) when (DateTime.UtcNow < deadline)
            {
            }
        }
    }

    private void Measure(string name, Contender[] participants, Func<Contender, int, Load.Result> run)
    {
        var random = new Random(participants.Length);
        var results = participants.ToDictionary(c => c, _ => new List<Load.Result>());
        for (var round = -1; round < rounds; round++)
        {
            // The first round is not measured: it opens the rooms. The order is shuffled: background work of a contender, and the
            // kernel's writeback of its files, fall into the turn of the next one.
            var turns = participants.ToArray();
            random.Shuffle(turns);
            foreach (var contender in turns)
            {
                var result = run(contender, round);
                if (round >= 0)
                {
                    results[contender].Add(result);
                    goals.Add(name, contender, result.EventsPerSecond);
                    goals.Add(Goals.P95(name), contender, result.Percentile(0.95));
                    goals.Add(Goals.Cpu(name), contender, result.CpuSecondsPer100000);
                }
            }
        }

        Print(name, participants, results);
    }

    private static void Print(string name, Contender[] participants, Dictionary<Contender, List<Load.Result>> results)
    {
        Console.WriteLine($"### {name}\n");
        Table(["", .. Figures.Select(figure => figure.Name)], participants.Select<Contender, string[]>(c =>
            [c.Name, .. Figures.Select(figure => Median(results[c].Select(figure.Select)).ToString(figure.Format))]));

        // The drain of a contender that writes before it acknowledges is 0.
        var compared = Figures.Where(figure => figure.Name != Drain).ToList();
        var service = participants[0];
        Table([$"{service.Name} to", .. compared.Select(figure => figure.Name)], participants.Skip(1).Select<Contender, string[]>(c =>
            [c.Name, .. compared.Select(figure => Ratio(results[service].Select(figure.Select), results[c].Select(figure.Select)))]));
    }
}
