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
    private readonly Channel<T> _queue = Channel.CreateUnbounded<T>();
    private readonly ConcurrentDictionary<string, T> _newest = new();

    public void Add(T item)
    {
        _newest[keyOf(item)] = item;
        _queue.Writer.TryWrite(item);
    }

    /// <summary>Runs the items until it is cancelled.</summary>
    /// <param name="tryRun">Returns false if the item must be retried.</param>
    public async Task RunAsync(Func<T, CancellationToken, Task<bool>> tryRun, CancellationToken cancellation)
    {
        await foreach (var item in _queue.Reader.ReadAllAsync(cancellation))
        {
            if (await tryRun(item, cancellation))
            {
                _newest.TryRemove(new(keyOf(item), item));
            }
            else
            {
                _ = RetryLaterAsync(item, cancellation);
            }
        }
    }

    private async Task RetryLaterAsync(T item, CancellationToken cancellation)
    {
        await Task.Delay(HomeserverResilience.Cooldown, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_newest.TryGetValue(keyOf(item), out var newest) && newest == item)
        {
            _queue.Writer.TryWrite(item);
        }
    }
}
