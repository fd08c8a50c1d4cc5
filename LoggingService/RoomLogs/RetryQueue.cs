using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LoggingService.Homeserver;

namespace LoggingService.RoomLogs;

/// <summary>
/// Runs items in the background, those with the same key one after the other. One that fails is retried after a pause, and delays no other;
/// of items with the same key only the newest is retried.
/// </summary>
/// <param name="concurrency">How many items with different keys run at a time.</param>
internal sealed class RetryQueue<T>(Func<T, string> keyOf, TimeProvider time, int concurrency = 1)
    where T : class
{
    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>();
    private readonly ConcurrentDictionary<string, Entry> _newest = new();

    /// <summary>By the key of an item that runs: those that wait for it, which must not keep items with other keys from running.</summary>
    private readonly Dictionary<string, Queue<Entry>> _running = [];

    public void Add(T item)
    {
        var entry = new Entry(item);
        _newest[keyOf(item)] = entry;
        _queue.Writer.TryWrite(entry);
    }

    /// <summary>Runs the items until it is cancelled.</summary>
    /// <param name="tryRun">Returns false if the item must be retried.</param>
    public Task RunAsync(Func<T, CancellationToken, Task<bool>> tryRun, CancellationToken cancellation) => Parallel.ForEachAsync(
        StartAsync(cancellation),
        new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation },
        async (started, token) =>
        {
            for (Entry? entry = started; entry is not null; entry = Next(keyOf(started.Item)))
            {
                if (await tryRun(entry.Item, token))
                {
                    _newest.TryRemove(new(keyOf(entry.Item), entry));
                }
                else
                {
                    _ = RetryLaterAsync(entry, cancellation);
                }
            }
        });

    /// <summary>The entries that may run now. They start here, in order: workers that have taken them may overtake each other.</summary>
    private async IAsyncEnumerable<Entry> StartAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var entry in _queue.Reader.ReadAllAsync(cancellation))
        {
            if (TryStart(entry))
            {
                yield return entry;
            }
        }
    }

    /// <summary>Whether the entry may run now; otherwise it waits for the one that runs.</summary>
    private bool TryStart(Entry entry)
    {
        lock (_running)
        {
            if (_running.TryGetValue(keyOf(entry.Item), out var waiting))
            {
                waiting.Enqueue(entry);
                return false;
            }

            _running.Add(keyOf(entry.Item), []);
            return true;
        }
    }

    /// <summary>The entry that waited for the one that ended; <c>null</c> if there is none.</summary>
    private Entry? Next(string key)
    {
        lock (_running)
        {
            if (_running[key].TryDequeue(out var next))
            {
                return next;
            }

            _running.Remove(key);
            return null;
        }
    }

    private async Task RetryLaterAsync(Entry entry, CancellationToken cancellation)
    {
        await Task.Delay(HomeserverResilience.Cooldown, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_newest.TryGetValue(keyOf(entry.Item), out var newest) && newest == entry)
        {
            _queue.Writer.TryWrite(entry);
        }
    }

    /// <summary>One addition of an item: items of several additions may be equal.</summary>
    private sealed class Entry(T item)
    {
        public T Item => item;
    }
}
