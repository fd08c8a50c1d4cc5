using System.Diagnostics;

namespace Bench;

/// <summary>What a homeserver sends, over and over.</summary>
/// <param name="Name">As the tables call it.</param>
/// <param name="Events">Events a transaction; 0: queries for aliases instead.</param>
/// <param name="Rooms">Over how many rooms they go; 0: a new one for each event.</param>
/// <param name="Connections">How many connections send at the same time.</param>
/// <param name="IsBurst">Whether all connections send one transaction at the same moment, and then wait for each other.</param>
internal sealed record Scenario(string Name, int Events, int Rooms, int Connections = 1, bool IsBurst = false)
{
    private long _sent;

    /// <summary>All scenarios.</summary>
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

    /// <summary>Whether the contender has an answer: the limit knows no aliases.</summary>
    public bool IsFor(Contender contender) => Events > 0 || !contender.Name.StartsWith("limit", StringComparison.Ordinal);

    /// <summary>What the tables show of a result.</summary>
    public static IReadOnlyList<(Func<Result, double> Of, string Format, string Unit)> Figures { get; } =
    [
        (result => result.EventsPerSecond, "#,0", ""),
        (result => result.Percentile(0.50), "0.00", " ms"),
        (result => result.Percentile(0.95), "0.00", " ms"),
        (result => result.Percentile(0.99), "0.00", " ms"),
        (result => result.CpuSecondsPer100000, "0.00", " s"),
    ];

    /// <summary>What was measured of one contender in one round.</summary>
    /// <param name="Events">Events (queries for aliases) that were sent.</param>
    /// <param name="EventsPerSecond">Events (queries for aliases) a second.</param>
    /// <param name="Milliseconds">From the first byte of a request to the last of its answer, in order of size.</param>
    /// <param name="CpuSecondsPer100000">Seconds of CPU that the contender took for 100,000 events.</param>
    public sealed record Result(int Events, double EventsPerSecond, double[] Milliseconds, double CpuSecondsPer100000)
    {
        /// <summary>The time that a part of the requests didn't exceed.</summary>
        public double Percentile(double part) => Milliseconds[(int)Math.Ceiling(part * Milliseconds.Length) - 1];
    }

    /// <summary>Sends for a time, but at least once to each room, and measures. Not twice at the same time.</summary>
    public async Task<Result> RunAsync(Contender contender, TimeSpan time)
    {
        var times = new List<double>();
        var events = 0;
        var connections = Enumerable.Range(0, Connections).Select(_ => (Socket: new Connection(contender.Port), Bodies: Events > 0 ? new Bodies(Events, Rooms, FirstRoom) : null)).ToList();
        var cpu = contender.CpuSeconds();
        var clock = Stopwatch.StartNew();
        if (IsBurst)
        {
            while (IsToGoOn())
            {
                var begin = Stopwatch.GetTimestamp();
                await Task.WhenAll(connections.Select(connection => Task.Run(() => SendAsync(connection, begin))));
            }
        }
        else
        {
            await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
            {
                while (IsToGoOn())
                {
                    await SendAsync(connection, Stopwatch.GetTimestamp());
                }
            })));
        }

        var seconds = clock.Elapsed.TotalSeconds;
        connections.ForEach(connection => connection.Socket.Dispose());
        times.Sort();
        return new(events, events / seconds, [.. times], (contender.CpuSeconds() - cpu) / events * 100_000);

        // Rooms that are made or opened anew in some rounds only would decide what those measure.
        bool IsToGoOn() => clock.Elapsed < time || Volatile.Read(ref events) < Rooms;

        async Task SendAsync((Connection Socket, Bodies? Bodies) connection, long begin)
        {
            if (connection.Bodies is { } bodies)
            {
                var first = Interlocked.Add(ref _sent, Events) - Events;
                await connection.Socket.PutAsync($"{FirstRoom}-{first}", bodies.For(first));
            }
            else
            {
                await connection.Socket.SendAsync($"GET /_matrix/app/v1/rooms/%23logged_{Interlocked.Increment(ref _sent)}%3Aexample.org", default);
            }

            var took = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            lock (times)
            {
                times.Add(took);
                events += Math.Max(1, Events);
            }
        }
    }

    // Scenarios have rooms of their own: each finds its rooms as long or short as it made them.
    private int FirstRoom => (All.ToList().IndexOf(this) + 1) * 100_000_000;
}
