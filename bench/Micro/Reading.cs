using Bench;
using BenchmarkDotNet.Attributes;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.RoomLogs;
using LoggingService.Transactions;

namespace Micro;

/// <summary>Parsing and rendering of a transaction of 100 events, before any disk access.</summary>
[MemoryDiagnoser]
public class Reading
{
    private static readonly EventsInMemory EmptyHistory = new();
    private readonly LineBuffer _lines = new();
    private byte[] _body = [];
    private IReadOnlyList<RoomEvent> _events = [];
    private EventsInMemory _history = new();

    /// <summary>Creates the transaction and the preceding one.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var template = new TransactionTemplate(events: 100, new Rooms(First: 0, Count: 1));
        var earlier = Events.Parse(template, 0);
        _body = template.FillBody(100).ToArray();
        _events = Events.Parse(template, 100);
        _history = new();
        foreach (var e in earlier.Concat(_events))
        {
            _history.Add(e);
        }
    }

    /// <summary>Parses the body, and reads what every event is asked for.</summary>
    [Benchmark(Description = "parse")]
    public int Parse()
    {
        var length = 0;
        if (Transaction.TryParse(_body, out var transaction, out _))
        {
            foreach (var e in transaction.Events)
            {
                length += e.EventId.Length + e.RoomId.Length + e.Sender!.Length + e.CanonicalType!.Length + (e.StateKey ?? "").Length;
            }
        }

        return length;
    }

    /// <summary>Renders lines whose referenced events aren't found.</summary>
    [Benchmark(Description = "render, nothing found")]
    public int RenderWithoutHistory() => Render(EmptyHistory);

    /// <summary>Renders lines whose referenced events are found in memory.</summary>
    [Benchmark(Description = "render, all found")]
    public int RenderWithHistory() => Render(_history);

    private int Render(EventsInMemory history)
    {
        _lines.Clear();
        foreach (var e in _events)
        {
            LogLine.Write(_lines, e, history, TimeZoneInfo.Utc);
        }

        return _lines.Length;
    }
}
