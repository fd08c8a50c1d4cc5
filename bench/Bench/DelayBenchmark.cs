using System.Diagnostics;
using static Bench.Report;

namespace Bench;

/// <summary>Measures the delay from the 200 to the line in the text, at fixed rates and flat out.</summary>
internal static class DelayBenchmark
{
    private const int WatchedRooms = 4;

    // Each transaction has one event for each room: a room's line N is of transaction N.
    private static readonly (Scenario Scenario, int? EventsPerSecond)[] Rates =
    [
        (new("2,000 events/s", 10, 10), 2_000),
        (new("20,000 events/s", 100, 100), 20_000),
        (new("flat out", 100, 100), null),
    ];

    private static readonly (Func<Result, double> Select, string Name)[] Figures =
    [
        (result => result.EventsPerSecond, "events/s reached"),
        (result => result.Percentile(0.50, 0, 1), "p50, ms"),
        (result => result.Percentile(0.95, 0, 1), "p95, ms"),
        (result => result.Percentile(0.99, 0, 1), "p99, ms"),
        (result => result.Percentile(0.50, 0, 0.5), "p50, first half"),
        (result => result.Percentile(0.50, 0.5, 1), "p50, second half"),
    ];

    /// <summary>Runs each rate in rounds, in a process that has warmed up.</summary>
    public static void Run(Contender service, Goals goals, int rounds, TimeSpan duration)
    {
        service.Dispose();
        service.Start();
        new Load(service, Scenario.Hundreds).Run(duration);
        var rows = new List<string[]>();
        foreach (var (scenario, rate) in Rates)
        {
            var load = new Load(service, scenario);
            load.Run(scenario.Events);
            var results = Enumerable.Range(0, rounds).Select(_ => Measure(service, scenario, load, rate, duration)).ToList();
            rows.Add([scenario.Name, .. Figures.Select(figure => Text($"{Median(results.Select(figure.Select)):#,0.0}"))]);
            if (rate is { } fixedRate)
            {
                results.ForEach(result => goals.Add(Goals.Delay(fixedRate), result.Percentile(0.95, 0, 1)));
            }
        }

        service.Dispose();
        Console.WriteLine("### From the 200 to the line\n");
        Table([service.Name, .. Figures.Select(figure => figure.Name)], rows);
    }

    private static Result Measure(Contender service, Scenario scenario, Load load, int? rate, TimeSpan duration)
    {
        var (first, count) = scenario.Rooms;
        var rooms = Enumerable.Range(0, WatchedRooms)
            .Select(i => new WatchedRoom(service.FileOf(first + i * (count - 1) / (WatchedRooms - 1))))
            .ToList();
        var isDone = false;
        var watcher = new Thread(() =>
        {
            while (!Volatile.Read(ref isDone))
            {
                rooms.ForEach(room => room.Look());
                Thread.Sleep(1);
            }
        });
        watcher.Start();
        var acknowledged = new List<long>();
        var interval = rate is null ? TimeSpan.Zero : TimeSpan.FromSeconds(scenario.Events / (double)rate);
        using var connection = new Connection(service.Port);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            load.SendNext(connection);
            acknowledged.Add(Stopwatch.GetTimestamp());
            var ahead = acknowledged.Count * interval - clock.Elapsed;
            if (ahead > TimeSpan.Zero)
            {
                Thread.Sleep(ahead);
            }
        }

        var seconds = clock.Elapsed.TotalSeconds;
        load.WaitUntilWritten();
        Thread.Sleep(10);
        Volatile.Write(ref isDone, true);
        watcher.Join();
        rooms.ForEach(room => room.Dispose());
        return new(acknowledged.Count * scenario.Events / seconds, rooms.ConvertAll(room => room.Delays(acknowledged)));
    }

    /// <summary>The delays in milliseconds, of each watched room in order.</summary>
    private sealed record Result(double EventsPerSecond, List<double[]> Delays)
    {
        /// <summary>A percentile over a part of the time.</summary>
        public double Percentile(double fraction, double from, double to)
        {
            var delays = Delays.SelectMany(room => room[(int)(from * room.Length)..(int)(to * room.Length)]);
            return Report.Percentile([.. delays.Order()], fraction);
        }
    }

    /// <summary>A room's text, with the times at which new lines were seen.</summary>
    private sealed class WatchedRoom(string path) : IDisposable
    {
        private readonly FileStream _text = OpenAtEnd(path);
        private readonly byte[] _buffer = new byte[64 * 1024];
        private readonly List<long> _lines = [];

        public void Look()
        {
            for (int read; (read = _text.Read(_buffer)) > 0;)
            {
                var now = Stopwatch.GetTimestamp();
                _lines.AddRange(Enumerable.Repeat(now, _buffer.AsSpan(0, read).Count((byte)'\n')));
            }
        }

        /// <summary>The milliseconds from each acknowledgement to its line; 0 if the line was there before.</summary>
        public double[] Delays(List<long> acknowledged)
        {
            if (_lines.Count != acknowledged.Count)
            {
                throw new InvalidOperationException($"{path}: {_lines.Count} lines for {acknowledged.Count} transactions");
            }

            return [.. _lines.Zip(acknowledged, (line, ok) => Math.Max(0, Stopwatch.GetElapsedTime(ok, line).TotalMilliseconds))];
        }

        public void Dispose() => _text.Dispose();

        private static FileStream OpenAtEnd(string path)
        {
            var text = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            text.Seek(0, SeekOrigin.End);
            return text;
        }
    }
}
