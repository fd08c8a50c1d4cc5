using System.Collections.Concurrent;
using System.Threading.Channels;
using LoggingService.Homeserver;

namespace LoggingService.RoomLogs;

/// <summary>
/// Runs items in the background, one after the other. One that fails is retried after a pause, and delays no other; of items with the same
/// key only the newest is retried.
/// </summary>
internal sealed class RetryQueue<T>(Func<T, string> keyOf, TimeProvider time)
    where T : class
{
    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>();
    private readonly ConcurrentDictionary<string, Entry> _newest = new();

    public void Add(T item)
    {
        var entry = new Entry(item);
        _newest[keyOf(item)] = entry;
        _queue.Writer.TryWrite(entry);
    }

    /// <summary>Runs the items until it is cancelled.</summary>
    /// <param name="tryRun">Returns false if the item must be retried.</param>
    public async Task RunAsync(Func<T, CancellationToken, Task<bool>> tryRun, CancellationToken cancellation)
    {
        await foreach (var entry in _queue.Reader.ReadAllAsync(cancellation))
        {
            if (await tryRun(entry.Item, cancellation))
            {
                _newest.TryRemove(new(keyOf(entry.Item), entry));
            }
            else
            {
                _ = RetryLaterAsync(entry, cancellation);
            }
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
