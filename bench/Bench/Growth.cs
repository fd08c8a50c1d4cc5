using System.Diagnostics;
using static Bench.Report;

namespace Bench;

/// <summary>Very many events in very many rooms: what grows, and what gets slower.</summary>
internal static class Growth
{
    private const int Tenths = 10;

    /// <summary>Sends them to fresh starts of the contenders, a tenth to each by turns, and prints each tenth.</summary>
    /// <param name="contenders">Who gets them.</param>
    /// <param name="events">How many events.</param>
    /// <param name="rooms">In how many rooms.</param>
    /// <param name="patience">After this time nobody gets more, however many they have.</param>
    public static async Task RunAsync(Contender[] contenders, int events, int rooms, TimeSpan patience)
    {
        var grown = new List<Grown>();
        foreach (var contender in contenders)
        {
            contender.Dispose();
            await contender.StartAsync();
            await Scenario.All.First(scenario => scenario is { Events: 100, Rooms: 100 }).RunAsync(contender, TimeSpan.FromSeconds(3));
            grown.Add(new(contender, new Bodies(100, rooms)));
        }

        var clock = Stopwatch.StartNew();
        for (var tenth = 0; tenth < Tenths; tenth++)
        {
            foreach (var one in grown)
            {
                await one.SendAsync(tenth * (events / Tenths), events / Tenths, () => clock.Elapsed < patience);
            }
        }

        Console.WriteLine(Text($"### {events:#,0} events in {rooms:#,0} rooms, 100 a transaction\n"));
        var ours = grown[0];
        Table(["LoggingService to", "events/s", "p50", "memory", "bytes on disk an event"], grown.Skip(1).Where(one => one.Tenths.Count > 0).Select(one => new[]
        {
            one.Name, Ratio(ours.Of(t => t.EventsPerSecond), one.Of(t => t.EventsPerSecond)), Ratio(ours.Of(t => t.Median), one.Of(t => t.Median)),
            Ratio(ours.Of(t => t.Megabytes), one.Of(t => t.Megabytes)), Ratio(ours.Of(t => t.BytesOnDisk), one.Of(t => t.BytesOnDisk)),
        }));
        Table(["last tenth to first", "tenths", "events/s", "p50", "memory", "memory an event since"], grown.Where(one => one.Tenths.Count > 1).Select(one => new[]
        {
            one.Name, Text($"{one.Tenths.Count}"), Growing(one, t => t.EventsPerSecond), Growing(one, t => t.Median), Growing(one, t => t.Megabytes),
            Text($"{(one.Tenths[^1].Megabytes - one.Tenths[0].Megabytes) * (1 << 20) / ((one.Tenths.Count - 1) * (events / Tenths)):0} bytes"),
        }));
        ByTenths("events/s", grown, t => t.EventsPerSecond);
        ByTenths("p50 of a transaction, µs", grown, t => t.Median * 1000);
        ByTenths("memory, MB", grown, t => t.Megabytes);
        ByTenths("bytes on disk an event", grown, t => t.BytesOnDisk);
    }

    private static string Growing(Grown one, Func<Tenth, double> figure) => Text($"{figure(one.Tenths[^1]) / figure(one.Tenths[0]):0.00}");

    private static void ByTenths(string name, List<Grown> grown, Func<Tenth, double> figure) =>
        Table([name, .. Enumerable.Range(1, Tenths).Select(i => $"{i}")], grown.Select<Grown, string[]>(one =>
        [
            one.Name, .. one.Of(figure).Select(value => Text($"{value:#,0}")), .. Enumerable.Repeat("", Tenths - one.Tenths.Count),
        ]));

    private sealed record Tenth(double EventsPerSecond, double Median, double Megabytes, double BytesOnDisk);

    /// <summary>A contender, and how it does.</summary>
    private sealed class Grown(Contender contender, Bodies bodies)
    {
        private readonly long _bytesBefore = contender.Bytes();

        public string Name => contender.Name;

        public List<Tenth> Tenths { get; } = [];

        public IEnumerable<double> Of(Func<Tenth, double> figure) => Tenths.Select(figure);

        public async Task SendAsync(long first, int events, Func<bool> isWanted)
        {
            using var connection = new Connection(contender.Port);
            var (times, end, clock) = (new List<double>(), first + events, Stopwatch.StartNew());
            for (; first < end && isWanted(); first += bodies.Events)
            {
                var begin = Stopwatch.GetTimestamp();
                await connection.PutAsync($"growth{first}", bodies.For(first));
                times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            }

            clock.Stop();
            if (first >= end)
            {
                Tenths.Add(new(events / clock.Elapsed.TotalSeconds, Median(times), contender.Megabytes(), (contender.Bytes() - _bytesBefore) / (double)end));
            }
        }
    }
}
