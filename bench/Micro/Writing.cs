using Bench;
using BenchmarkDotNet.Attributes;
using LoggingService.Events;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Micro;

/// <summary>Committing a transaction of 100 events to disk, including its fsync.</summary>
[MemoryDiagnoser]
public class Writing
{
    private const int Transactions = 50;

    // Next to the program: /tmp is often a tmpfs, where fsync costs nothing.
    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "written");
    private readonly IReadOnlyList<RoomEvent>[] _new = new IReadOnlyList<RoomEvent>[Transactions];
    private TransactionTemplate _template = null!;
    private LogDirectory _logs = null!;
    private int _written;
    private IReadOnlyList<RoomEvent> _known = [];
    private long _sent;

    /// <summary>The number of rooms that the events are spread over.</summary>
    [Params(1, 100)]
    public int Rooms { get; set; }

    /// <summary>Creates the folder and logs a first transaction.</summary>
    [GlobalSetup]
    public async Task SetupAsync()
    {
        RemoveFolder();
        _template = new(events: 100, new Rooms(First: 0, Rooms));
        _logs = new(_folder, TimeProvider.System, NullLogger<LogDirectory>.Instance);
        _known = Next();
        _logs.Written += lines => _written += lines.Count;
        _logs.Start();
        await _logs.AppendAsync(_known, [], "first");
        await _logs.CaughtUpAsync();
    }

    /// <summary>Creates events with new ids, and runs a checkpoint, which the service runs in the background.</summary>
    [IterationSetup]
    public void Prepare()
    {
        for (var i = 0; i < Transactions; i++)
        {
            _new[i] = Next();
        }

        _logs.EmptyJournalAsync().GetAwaiter().GetResult();
    }

    /// <summary>Appends new events.</summary>
    [Benchmark(Description = "append", OperationsPerInvoke = Transactions)]
    public async Task Append()
    {
        foreach (var events in _new)
        {
            await CommitAsync(events, expected: events.Count);
        }
    }

    /// <summary>Drops events that are logged already.</summary>
    [Benchmark(Description = "known", OperationsPerInvoke = Transactions * 10)]
    public async Task Known()
    {
        for (var i = 0; i < Transactions * 10; i++)
        {
            await CommitAsync(_known, expected: 0);
        }
    }

    /// <summary>Removes the folder.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _logs.Dispose();
        RemoveFolder();
    }

    private async Task CommitAsync(IReadOnlyList<RoomEvent> events, int expected)
    {
        _written = 0;
        await _logs.AppendAsync(events, [], "benchmark");
        await _logs.CaughtUpAsync();
        if (_written != expected)
        {
            throw new InvalidOperationException($"{_written} events were written instead of {expected}.");
        }
    }

    private IReadOnlyList<RoomEvent> Next()
    {
        _sent += 100;
        return Events.Parse(_template, _sent - 100);
    }

    private void RemoveFolder()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
