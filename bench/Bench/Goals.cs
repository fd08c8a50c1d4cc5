using static Bench.Report;

namespace Bench;

/// <summary>Collects the figures that have goals, and prints them with their goals.</summary>
internal sealed class Goals
{
    public const string Cold = "cold: first 40,000 events";
    public const string LastTenth = "1,000,000 events, last tenth to those before";
    public const string MemoryPerEvent = "memory, bytes an event of the day";
    public const string PeakMemory = "10,000,000 events, MB";

    private static readonly Ratio[] Ratios =
    [
        new(Scenario.One.Name, 1.0, 2),
        new(Scenario.Tens.Name, 1.2, 4),
        new(Scenario.OneRoom.Name, 0.6, 4),
        new(Scenario.Hundreds.Name, 0.6, 4),
        new(Scenario.WithHistory.Name, 0.5, null),
        new(Scenario.ManyRooms.Name, 0.5, 4),
        new(Scenario.Concurrent.Name, 1.5, 5),
        new(P95(Scenario.Burst.Name), 1.0, 0.2, IsAtMost: true),
        new(Cpu(Scenario.Hundreds.Name), 2.3, 0.3, IsAtMost: true),
        new(Cold, 0.6, 2),
        new(Scenario.NewRooms.Name, null, 1.0),
    ];

    private static readonly Absolute[] Absolutes =
    [
        new(Delay(2_000), 25),
        new(Delay(20_000), 25),
        new(LastTenth, 0.9, IsAtMost: false),
        new(MemoryPerEvent, 40),
        new(PeakMemory, 700),
    ];

    private readonly Dictionary<(string Figure, Contender? Contender), List<double>> _values = [];

    public static string P95(string scenario) => $"{scenario}, p95 of the 200s";

    public static string Cpu(string scenario) => $"{scenario}, CPU an event";

    /// <summary>The name of the delay at a rate.</summary>
    public static string Delay(int eventsPerSecond) => Text($"200 to the line, p95, ms, {eventsPerSecond:#,0} events/s");

    /// <summary>Adds a contender's figure of one round; figures without a goal are ignored.</summary>
    public void Add(string figure, Contender contender, double value) => Values(figure, contender).Add(value);

    /// <summary>Adds a figure of one round that LoggingService is not compared by.</summary>
    public void Add(string figure, double value) => Values(figure, null).Add(value);

    /// <summary>Prints the medians of what was measured, with the goals. The contenders' first is the one that has them.</summary>
    public void Print(Contender[] contenders)
    {
        var service = contenders[0];
        var limit = contenders.Where(c => c.Kind == ContenderKind.Limit).ToList();
        var peers = contenders.Where(c => c.Kind == ContenderKind.Peer).ToList();
        var others = contenders.Where(c => c.Kind == ContenderKind.Service).Skip(1).ToList();
        Console.WriteLine("## Goals\n");
        Table(
            [service.Name, .. limit.Select(To), "goal", .. peers.Select(To), "goal", .. others.Select(To)],
            Ratios.Where(goal => Values(goal.Figure, service).Count > 0).Select<Ratio, string[]>(goal =>
            [
                goal.Figure,
                .. limit.Select(c => Cell(goal.Figure, c)),
                Verdict(goal.IsAtMost, goal.ToLimit, Measured(goal.Figure, limit)),
                .. peers.Select(c => Cell(goal.Figure, c)),
                Verdict(goal.IsAtMost, goal.ToPeers, Measured(goal.Figure, peers)),
                .. others.Select(c => Cell(goal.Figure, c)),
            ]));
        Table(
            [service.Name, "measured", "goal"],
            Absolutes.Where(goal => Values(goal.Figure, null).Count > 0).Select<Absolute, string[]>(goal =>
            {
                var value = Median(Values(goal.Figure, null));
                return [goal.Figure, Text($"{value:#,0.##}"), Verdict(goal.IsAtMost, goal.Value, [value])];
            }));

        string To(Contender contender) => $"to {contender.Name}";

        string Cell(string figure, Contender contender) => Measured(figure, [contender]) is [var ratio] ? Text($"{ratio:0.00}") : "";

        List<double> Measured(string figure, IEnumerable<Contender> theirs)
        {
            var ours = Values(figure, service);
            return theirs.Select(c => Values(figure, c))
                .Where(values => values.Count > 0)
                .Select(values => Median(ours.Zip(values, (our, their) => our / their)))
                .ToList();
        }
    }

    private static string Verdict(bool isAtMost, double? goal, List<double> values)
    {
        if (goal is null || values.Count == 0)
        {
            return "";
        }

        var isMet = values.All(value => isAtMost ? value <= goal : value >= goal);
        return Text($"{(isAtMost ? '≤' : '≥')} {goal:0.##} {(isMet ? "met" : "**missed**")}");
    }

    private List<double> Values(string figure, Contender? contender)
    {
        if (!_values.TryGetValue((figure, contender), out var values))
        {
            _values.Add((figure, contender), values = []);
        }

        return values;
    }

    private sealed record Ratio(string Figure, double? ToLimit, double? ToPeers, bool IsAtMost = false);

    private sealed record Absolute(string Figure, double Value, bool IsAtMost = true);
}
