using System.Diagnostics;
using static Bench.Report;

namespace Bench;

/// <summary>Measures speed and memory of one process over very many events in very many rooms.</summary>
internal static class GrowthBenchmark
{
    private const int Parts = 10;

    private static readonly (Func<Part, double> Select, string Name)[] Figures =
    [
        (part => part.Load.EventsPerSecond, "events/s in the files"),
        (part => part.Load.Percentile(0.50) * 1000, "p50 of the 200s, µs"),
        (part => part.Load.Percentile(0.99) * 1000, "p99 of the 200s, µs"),
        (part => part.Load.DrainMilliseconds, "drain, ms"),
        (part => part.Megabytes, "memory, MB"),
        (part => part.PeakMegabytes, "peak, MB"),
        (part => part.DiskBytes, "bytes on disk per event"),
    ];

    /// <summary>Sends a million events in tenths, then up to ten million in all, until the time is over.</summary>
    public static void Run(Contender service, Goals goals, int rooms, TimeSpan timeForTenMillion)
    {
        service.Dispose();
        service.Start();
        new Load(service, Scenario.Hundreds).Run(TimeSpan.FromSeconds(3));
        var load = new Load(service, new Scenario("growth", 100, rooms));
        var bytesBefore = service.Bytes();
        var sent = 0L;
        var tenths = Enumerable.Range(0, Parts).Select(_ => Send(100_000)).ToList();
        Print(Text($"1,000,000 events in {rooms:#,0} rooms"), tenths);

        // The first tenth creates the rooms. A single part varies: the goal allows the last a tenth less.
        var before = Median(tenths.Skip(1).SkipLast(1).Select(part => part.Load.EventsPerSecond));
        goals.Add(Goals.LastTenth, tenths[^1].Load.EventsPerSecond / before);
        var millions = new List<Part> { tenths[^1] };
        var clock = Stopwatch.StartNew();
        while (timeForTenMillion > TimeSpan.Zero && millions.Count < Parts && clock.Elapsed < timeForTenMillion)
        {
            millions.Add(Send(1_000_000));
        }

        var (from, to) = millions.Count > 1 ? (millions[0], millions[^1]) : (tenths[0], tenths[^1]);
        goals.Add(Goals.MemoryPerEvent, (to.Megabytes - from.Megabytes) * (1 << 20) / (to.Sent - from.Sent));
        if (millions.Count > 1)
        {
            Print(Text($"{millions[^1].Sent:#,0} events in {rooms:#,0} rooms, by millions"), millions);
        }

        if (millions.Count == Parts)
        {
            goals.Add(Goals.PeakMemory, to.PeakMegabytes);
        }

        service.Dispose();

        Part Send(int events)
        {
            var result = load.Run(events);
            sent += events;
            return new(sent, result, service.Megabytes(), service.PeakMegabytes(), (service.Bytes() - bytesBefore) / (double)sent);
        }
    }

    private static void Print(string name, List<Part> parts)
    {
        Console.WriteLine($"### {name}, 100 per transaction\n");
        Table(["", .. Enumerable.Range(1, parts.Count).Select(i => $"{i}")], Figures.Select(figure => new[] { figure.Name }
            .Concat(parts.Select(part => Text($"{figure.Select(part):#,0}")))
            .ToArray()));
    }

    private sealed record Part(long Sent, Load.Result Load, double Megabytes, double PeakMegabytes, double DiskBytes);
}
