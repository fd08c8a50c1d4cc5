using System.Diagnostics;
using static Bench.Report;

namespace Bench;

/// <summary>Very many events in very many rooms: what grows, and whether it gets slower.</summary>
internal static class Growth
{
    /// <summary>Sends them to a fresh start of the contender and prints each tenth.</summary>
    public static async Task RunAsync(Contender contender, int events, int rooms)
    {
        contender.Dispose();
        await contender.StartAsync();
        using var connection = new Connection(contender.Port);
        var bodies = new Bodies(100, rooms);
        var tenths = new List<(double Seconds, double Median, double Megabytes, long Bytes)>();
        for (var first = 0L; first < events;)
        {
            var clock = Stopwatch.StartNew();
            var times = new List<double>();
            for (var end = first + (events / 10); first < end; first += bodies.Events)
            {
                var begin = Stopwatch.GetTimestamp();
                await connection.PutAsync($"growth{first}", bodies.For(first));
                times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            }

            tenths.Add((clock.Elapsed.TotalSeconds, Median(times), contender.Megabytes(), contender.Bytes()));
        }

        Console.WriteLine(Text($"### {contender.Name}: {events:#,0} events in {rooms:#,0} rooms, 100 a transaction\n"));
        Table(["tenth", "events/s", "to the first", "p50 of a transaction", "memory", "bytes on disk an event"], tenths.Select((tenth, i) => new[]
        {
            Text($"{i + 1}"), Text($"{events / 10 / tenth.Seconds:#,0}"), Text($"{tenths[0].Seconds / tenth.Seconds:0.00}"), Text($"{tenth.Median:0.00} ms"),
            Text($"{tenth.Megabytes:0} MB"), Text($"{tenth.Bytes / ((i + 1.0) * events / 10):0}"),
        }));
    }
}
