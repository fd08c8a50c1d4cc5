using Bench;
using BenchmarkDotNet.Attributes;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.Transactions;

namespace Micro;

/// <summary>What is done with a transaction of 100 events before it touches the disk.</summary>
[MemoryDiagnoser]
public class Reading
{
    private static readonly DateTimeOffset ReceivedAt = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly RoomHistory Nothing = new(_ => null, (_, _) => null);
    private byte[] _body = [];
    private IReadOnlyList<RoomEvent> _events = [];
    private RoomHistory _earlier;

    /// <summary>Makes the transaction, and the one before it.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var bodies = new Bodies(events: 100, rooms: 1);
        var before = Events.Of(bodies, 0);
        _body = bodies.For(100).ToArray();
        _events = Events.Of(bodies, 100);
        var known = before.Concat(_events).ToDictionary(e => e.EventId);
        _earlier = new(known.GetValueOrDefault, (_, _) => null);
    }

    /// <summary>The body is read.</summary>
    [Benchmark(Description = "parse")]
    public bool Parse() => Transaction.TryParse(_body, out _, out _);

    /// <summary>Lines are made; nothing is known of what they refer to.</summary>
    [Benchmark(Description = "render, nothing found")]
    public int RenderAlone() => Render(Nothing);

    /// <summary>Lines are made; what they refer to is found, in memory.</summary>
    [Benchmark(Description = "render, all found")]
    public int RenderReferring() => Render(_earlier);

    private int Render(RoomHistory before)
    {
        var length = 0;
        foreach (var e in _events)
        {
            length += LogLine.Render(e, before, TimeZoneInfo.Utc, ReceivedAt).Length;
        }

        return length;
    }
}
