using System.Diagnostics;
using System.Net;

namespace Bench;

/// <summary>
/// Sends a scenario to a running contender, round after round, with event and transaction ids that never repeat. Not thread-safe.
/// </summary>
internal sealed class Load(Contender contender, Scenario scenario)
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BacklogDelay = TimeSpan.FromMilliseconds(100);
    private readonly List<TransactionTemplate> _templates =
        Enumerable.Range(0, scenario.Connections).Select(_ => new TransactionTemplate(scenario.Events, scenario.Rooms)).ToList();
    private long _sent;

    /// <summary>The measurements of one contender in one round.</summary>
    /// <param name="Events">Events sent.</param>
    /// <param name="EventsPerSecond">Events per second until all were in their files.</param>
    /// <param name="AcknowledgedPerSecond">Events per second until the last 200.</param>
    /// <param name="DrainMilliseconds">The time from the last 200 until all events were in their files.</param>
    /// <param name="Milliseconds">The latencies, sorted: first byte of the request to last byte of the response.</param>
    /// <param name="CpuSecondsPer100000">CPU seconds of the contender for 100,000 events.</param>
    public sealed record Result(
        long Events,
        double EventsPerSecond,
        double AcknowledgedPerSecond,
        double DrainMilliseconds,
        double[] Milliseconds,
        double CpuSecondsPer100000)
    {
        public double Percentile(double fraction) => Report.Percentile(Milliseconds, fraction);
    }

    /// <summary>
    /// Sends for the given duration, but at least once to each room: creating or reopening rooms in some rounds only would distort
    /// those.
    /// </summary>
    public Result Run(TimeSpan duration) => Run((elapsed, events) => elapsed < duration || events < scenario.RoomCount);

    /// <summary>Sends a number of events.</summary>
    public Result Run(long events) => Run((_, sent) => sent < events);

    /// <summary>Sends one transaction.</summary>
    public void SendNext(Connection connection) => SendNext(connection, _templates[0]);

    /// <summary>Waits until all events are in their files; returns the time of the last append.</summary>
    /// <exception cref="TimeoutException">Events are still missing after <paramref name="timeout"/> (default: a minute).</exception>
    public DateTime WaitUntilWritten(TimeSpan? timeout = null) =>
        contender.Written.WaitFor(scenario.Rooms.Expected(_sent), timeout ?? DrainTimeout);

    // Without pauses and by the wall clock: in a pause, a writer in the background would catch up at no cost.
    private Result Run(Func<TimeSpan, long, bool> isRunning)
    {
        var connections = _templates.ConvertAll(_ => new Connection(contender.Port));
        var latencies = _templates.ConvertAll(_ => new List<double>(100_000));
        var first = _sent;
        var errors = new List<Exception>();
        var began = 0L;
        var keepsRunning = true;
        var cpu = contender.CpuSeconds();
        var clock = Stopwatch.StartNew();
        using var burst = new Barrier(connections.Count, _ => Begin());
        var threads = connections.Select((connection, i) => new Thread(() => Send(connection, i))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        var acknowledged = clock.Elapsed.TotalSeconds;
        var lastOk = DateTime.UtcNow;
        connections.ForEach(connection => connection.Dispose());
        if (errors.Count > 0)
        {
            throw new InvalidOperationException($"{contender.Name}, {scenario.Name}: {errors[0].Message}", errors[0]);
        }

        var lastWritten = WaitUntilWritten();
        var drain = Math.Max(0, (lastWritten - lastOk).TotalSeconds);
        var events = _sent - first;
        var perHundredThousand = (contender.CpuSeconds() - cpu) / events * 100_000;
        var all = latencies.SelectMany(values => values).Order().ToArray();
        return new(events, events / (acknowledged + drain), events / acknowledged, drain * 1000, all, perHundredThousand);

        bool IsRunning() => isRunning(clock.Elapsed, Volatile.Read(ref _sent) - first);

        void Begin()
        {
            keepsRunning = IsRunning();
            began = Stopwatch.GetTimestamp();
        }

        void Send(Connection connection, int i)
        {
            try
            {
                while (scenario.IsBurst ? IsNextBurst() : IsRunning())
                {
                    var start = scenario.IsBurst ? began : Stopwatch.GetTimestamp();
                    SendNext(connection, _templates[i]);
                    latencies[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }
            catch (Exception e)
            {
                lock (errors)
                {
                    errors.Add(e);
                }

                if (scenario.IsBurst)
                {
                    burst.RemoveParticipant();
                }
            }
        }

        bool IsNextBurst()
        {
            burst.SignalAndWait();
            return keepsRunning;
        }
    }

    private void SendNext(Connection connection, TransactionTemplate template)
    {
        var first = Interlocked.Add(ref _sent, template.Events) - template.Events;
        var transaction = template.Fill(first);
        while (true)
        {
            try
            {
                connection.Send(transaction);
                return;
            }
            catch (HttpRequestException e) when (e.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                // The backlog is at its bound. A homeserver sends the transaction again, too.
                Thread.Sleep(BacklogDelay);
            }
        }
    }
}
