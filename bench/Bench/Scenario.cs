using System.Diagnostics;

namespace Bench;

/// <summary>A load that a homeserver generates.</summary>
/// <param name="Name">The name in the tables.</param>
/// <param name="Events">Events per transaction; 0: alias queries instead.</param>
/// <param name="Rooms">The number of rooms that the events are spread over; 0: a new room for each event.</param>
/// <param name="Connections">The number of concurrent connections.</param>
/// <param name="IsBurst">All connections send one transaction at the same moment, then wait for each other.</param>
internal sealed record Scenario(string Name, int Events, int Rooms, int Connections = 1, bool IsBurst = false)
{
    private long _sent;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("1 event, 1 room", 1, 1),
        new("10 events, 10 rooms", 10, 10),
        new("100 events, 1 room", 100, 1),
        new("100 events, 100 rooms", 100, 100),
        new("100 events, 1,000 rooms", 100, 1000),
        new("8 connections, 10 events, 10 rooms", 10, 10, 8),
        new("new rooms only, 10 events", 10, 0),
        new("burst of 50 transactions, 10 events", 10, 10, 50, IsBurst: true),
        new("alias queries", 0, 0),
    ];

    /// <summary>The limit doesn't support alias queries.</summary>
    public bool IsSupportedBy(Contender contender) => Events > 0 || !contender.Name.StartsWith("limit", StringComparison.Ordinal);

    /// <summary>The columns of the tables.</summary>
    public static IReadOnlyList<(Func<Result, double> Select, string Format, string Unit)> Figures { get; } =
    [
        (result => result.EventsPerSecond, "#,0", ""),
        (result => result.Percentile(0.50), "0.00", " ms"),
        (result => result.Percentile(0.95), "0.00", " ms"),
        (result => result.Percentile(0.99), "0.00", " ms"),
        (result => result.CpuSecondsPer100000, "0.00", " s"),
    ];

    /// <summary>The measurements of one contender in one round.</summary>
    /// <param name="Events">Events (or alias queries) sent.</param>
    /// <param name="EventsPerSecond">Events (or alias queries) per second.</param>
    /// <param name="Milliseconds">The latencies, sorted: first byte of the request to last byte of the response.</param>
    /// <param name="CpuSecondsPer100000">CPU seconds of the contender for 100,000 events.</param>
    public sealed record Result(int Events, double EventsPerSecond, double[] Milliseconds, double CpuSecondsPer100000)
    {
        public double Percentile(double fraction) => Milliseconds[(int)Math.Ceiling(fraction * Milliseconds.Length) - 1];
    }

    /// <summary>Sends for the given duration, but at least once to each room. Must not run concurrently with itself.</summary>
    public async Task<Result> RunAsync(Contender contender, TimeSpan duration)
    {
        var latencies = new List<double>();
        var events = 0;
        var connections = Enumerable.Range(0, Connections).Select(_ => new Connection(contender.Port)).ToList();
        var templates = Events > 0 ? connections.ConvertAll(_ => new BodyTemplate(Events, Rooms, FirstRoom)) : [];
        var cpu = contender.CpuSeconds();
        var clock = Stopwatch.StartNew();
        if (IsBurst)
        {
            while (IsRunning())
            {
                var start = Stopwatch.GetTimestamp();
                await Task.WhenAll(Enumerable.Range(0, Connections).Select(i => Task.Run(() => SendAsync(i, start))));
            }
        }
        else
        {
            await Task.WhenAll(Enumerable.Range(0, Connections).Select(i => Task.Run(async () =>
            {
                while (IsRunning())
                {
                    await SendAsync(i, Stopwatch.GetTimestamp());
                }
            })));
        }

        var seconds = clock.Elapsed.TotalSeconds;
        connections.ForEach(connection => connection.Dispose());
        latencies.Sort();
        return new(events, events / seconds, [.. latencies], (contender.CpuSeconds() - cpu) / events * 100_000);

        // Every round reaches every room: creating or reopening rooms in some rounds only would distort those.
        bool IsRunning() => clock.Elapsed < duration || Volatile.Read(ref events) < Rooms;

        async Task SendAsync(int connection, long start)
        {
            if (Events > 0)
            {
                var first = Interlocked.Add(ref _sent, Events) - Events;
                await connections[connection].PutAsync($"{FirstRoom}-{first}", templates[connection].Fill(first));
            }
            else
            {
                var alias = $"%23logged_{Interlocked.Increment(ref _sent)}%3Aexample.org";
                await connections[connection].SendAsync($"GET /_matrix/app/v1/rooms/{alias}", default);
            }

            var latency = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            lock (latencies)
            {
                latencies.Add(latency);
                events += Math.Max(1, Events);
            }
        }
    }

    // Scenarios share no rooms: the length of a room's log depends on its own scenario only.
    private int FirstRoom => (All.ToList().IndexOf(this) + 1) * 100_000_000;
}
