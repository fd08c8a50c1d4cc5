using Bench;
using BenchmarkDotNet.Attributes;
using LoggingService.Events;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Micro;

/// <summary>What is done with the 100 events of a transaction on the disk, its sync included.</summary>
[MemoryDiagnoser]
public class Writing
{
    private const int Transactions = 50;

    // Beside the program: a folder for what is temporary is often in memory, where a sync costs nothing.
    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "written");
    private readonly IReadOnlyList<RoomEvent>[] _new = new IReadOnlyList<RoomEvent>[Transactions];
    private Bodies _bodies = null!;
    private LogDirectory _logs = null!;
    private IReadOnlyList<RoomEvent> _known = [];
    private long _sent;

    /// <summary>Over how many rooms the events go.</summary>
    [Params(1, 100)]
    public int Rooms { get; set; }

    /// <summary>Makes the folder; its logs have one transaction already.</summary>
    [GlobalSetup]
    public async Task SetupAsync()
    {
        RemoveFolder();
        _bodies = new(events: 100, Rooms);
        _logs = new(_folder, TimeProvider.System, NullLogger<LogDirectory>.Instance);
        _known = Next();
        await _logs.CommitAsync(_known, [], "first");
    }

    /// <summary>Makes events with new ids, and a checkpoint, which the service makes beside its transactions.</summary>
    [IterationSetup]
    public void Prepare()
    {
        for (var i = 0; i < Transactions; i++)
        {
            _new[i] = Next();
        }

        _logs.CheckpointAsync(CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>New events are appended.</summary>
    [Benchmark(Description = "append", OperationsPerInvoke = Transactions)]
    public async Task Append()
    {
        foreach (var events in _new)
        {
            await CommitAsync(events, expected: events.Count);
        }
    }

    /// <summary>Events that the logs have already are dropped.</summary>
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
        var written = await _logs.CommitAsync(events, [], "benchmark");
        if (written.Count != expected)
        {
            throw new InvalidOperationException($"{written.Count} events were written, not {expected}.");
        }
    }

    private IReadOnlyList<RoomEvent> Next()
    {
        _sent += 100;
        return Events.Of(_bodies, _sent - 100);
    }

    private void RemoveFolder()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
